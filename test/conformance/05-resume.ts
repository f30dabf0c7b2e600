import assert from 'node:assert/strict';

import type { Position } from '#src/protocol/models.js';

import { connectAgain, meet, say, sendMany } from './meeting.js';
import { positionIn, range, readLog, resumeBy, seqsOf } from './reading.js';
import { verifies } from './suite.js';

verifies(['P-5.12', 'P-3.7'], 'sends missed events right after the welcome', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const from = await positionIn(bob, room);
  await bob.close();
  const { id: message } = await say(ann, room, 'first draft');
  await ann.ok('message.edit', { room, message, text: 'second draft' });
  await ann.ok('message.react', { room, message, emoji: '👍' });

  const back = await connectAgain(scene, bob, { resume: { [room.toUpperCase()]: from } });
  await say(ann, room, 'live');
  await back.event('message.created', ({ seq }) => seq === 7);

  assert.deepEqual(back.welcome.resumed, {
    [room.toUpperCase()]: { complete: true, seq: 6 },
  });
  const welcomeAt = back.frames.findIndex((frame) => (frame as { re?: unknown }).re !== undefined);
  assert.equal(welcomeAt, 0, 'the welcome comes first');
  assert.deepEqual(seqsOf(back.logged(room)), [4, 5, 6, 7]);
  assert.deepEqual(
    back.logged(room).slice(0, 3),
    (await readLog(ann, room, from)).slice(0, 3),
    'the events are those of the log',
  );
});

verifies('P-5.12', 'attaches a connection that has missed nothing', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const from = await positionIn(bob, room);

  const back = await connectAgain(scene, bob, { resume: { [room]: from } });
  await say(ann, room, 'live');

  assert.deepEqual(back.welcome.resumed, { [room]: { complete: true, seq: 3 } });
  assert.equal((await back.event('message.created')).seq, 4);
  assert.deepEqual(seqsOf(back.logged(room)), [4]);
});

verifies(
  ['P-5.12', 'P-9.1'],
  'refuses to resume after more events than the limit, but replays them by room.sync',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    await sendMany(ann, room, 5);

    const inTime = await connectAgain(scene, bob, { resume: { [room]: from } });
    await say(ann, room, 'one more');
    const late = await connectAgain(scene, bob, { resume: { [room]: from } });
    await inTime.event('message.created', ({ seq }) => seq === 9);
    await late.roundTrip();

    assert.deepEqual(inTime.welcome.resumed, { [room]: { complete: true, seq: 8 } });
    assert.deepEqual(seqsOf(inTime.logged(room)), range(4, 9));
    assert.deepEqual(late.welcome.resumed, { [room]: { complete: false, reason: 'behind' } });
    assert.deepEqual(late.logged(room), [], 'no events are sent');
    assert.deepEqual(seqsOf(await readLog(late, room, from)), range(4, 9));
  },
  { settings: { PARLANCE_LIMIT_RESUME_EVENTS: '5' } },
);

verifies(
  ['P-5.12', 'P-9.8'],
  'refuses to resume more than one page, but replays it by room.sync',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    for (const number of range(1, 5)) await say(ann, room, String(number).repeat(1_000));

    const back = await connectAgain(scene, bob, { resume: { [room]: from } });

    assert.deepEqual(back.welcome.resumed, { [room]: { complete: false, reason: 'behind' } });
    assert.deepEqual(seqsOf(await readLog(back, room, from)), range(4, 8));
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '4096' } },
);

verifies('P-5.12', 'returns a reason for each room that it does not resume', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const other = await meet(scene, 'cem');
  const { epoch, seq } = await positionIn(bob, room);
  const absent = scene.room();
  await ann.ok('room.create', { room: `${room}-2` });
  const twin = await bob.ok('room.join', { room: `${room}-2` });

  const back = await connectAgain(scene, bob, {
    resume: {
      [room]: { epoch: 'another', seq },
      [twin.room]: { epoch: twin.epoch, seq: twin.seq + 1 },
      [other.room]: { epoch, seq },
      [absent]: { epoch, seq },
      'no name': { epoch, seq },
    },
  });
  await say(ann, room, 'unheard');
  await back.roundTrip();

  const because = (reason: string) => ({ complete: false, reason });
  assert.deepEqual(back.welcome.resumed, {
    [room]: because('epoch_mismatch'),
    [twin.room]: because('ahead'),
    [other.room]: because('not_found'),
    [absent]: because('not_found'),
    'no name': because('not_found'),
  });
  assert.deepEqual(back.events('message.created'), []);
});

verifies('P-5.12', 'authorizes every room of a resume again', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const from = await positionIn(bob, room);
  await bob.ok('room.leave', { room });

  const back = await connectAgain(scene, bob, { resume: { [room]: from } });
  await say(ann, room, 'for members only');
  await back.roundTrip();

  assert.deepEqual(back.welcome.resumed, { [room]: { complete: false, reason: 'not_found' } });
  assert.deepEqual(back.logged(room), []);
});

verifies(
  ['P-5.12', 'P-9.6'],
  'resumes at most as many rooms as a connection may attach to',
  async (scene) => {
    const ann = await scene.join('ann');
    const rooms = [scene.room(), scene.room()];
    const resume: Record<string, Position> = {};
    for (const room of rooms) {
      const { epoch, seq } = await ann.ok('room.create', { room });
      resume[room] = { epoch, seq };
    }

    const back = await connectAgain(scene, ann, { resume: { ...resume, '@me': ann.welcome.me } });
    const third = await ann.expectError('room.create', { room: scene.room() }, 'limit_reached');

    assert.equal(third.details?.['limit'], 'roomsPerConnection');
    assert.deepEqual(Object.values(back.welcome.resumed), [
      { complete: true, seq: 2 },
      { complete: true, seq: 2 },
      { complete: true, seq: 0 },
    ]);
    const { epoch, seq } = await (
      await connectAgain(scene, ann)
    ).ok('room.join', { room: 'general' });
    const full = await connectAgain(scene, ann, { resume: { ...resume, general: { epoch, seq } } });
    assert.deepEqual(full.welcome.resumed['general'], { complete: false, reason: 'limit' });
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '2' } },
);

verifies(
  'P-5.12',
  'accepts a position in `@me` in addition to the maximum number of rooms',
  async (scene) => {
    const ann = await scene.join('ann');
    const position = { epoch: 'epoch', seq: 1 };
    const rooms = range(1, 100).map((index) => [`no-room-${String(index)}`, position]);

    const resume = { ...(Object.fromEntries(rooms) as object), '@me': ann.welcome.me };
    const { resumed } = (await connectAgain(scene, ann, { resume })).welcome;

    assert.equal(Object.keys(resumed).length, 101);
    assert.deepEqual(resumed['@me'], { complete: true, seq: 0 });
  },
);

verifies(
  ['P-5.12', 'P-9.6'],
  'resumes all rooms that a connection may attach to',
  async (scene) => {
    const ann = await scene.join('ann');
    const resume: Record<string, Position> = {};
    while (Object.keys(resume).length < 120) {
      const { room, epoch, seq } = await ann.ok('room.create', { room: scene.room() });
      resume[room] = { epoch, seq };
    }
    const tooMany = { ...resume, general: { epoch: 'epoch', seq: 1 } };

    const hello = { protocol: 1, token: ann.welcome.token, resume: tooMany };
    const back = await scene.connect();
    const { details } = await back.expectError('hello', hello, 'invalid');
    const { resumed } = await resumeBy(back, ann.welcome, { ...resume, '@me': ann.welcome.me });

    assert.deepEqual(Object.keys(resumed).length, 121);
    assert(Object.values(resumed).every(({ complete }) => complete));
    assert.deepEqual((details?.['issues'] as { path: string }[])[0]?.path, 'resume');
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '120' } },
);
