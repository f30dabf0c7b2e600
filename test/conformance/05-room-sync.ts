import assert from 'node:assert/strict';

import { Writer } from '#src/database/writer.js';

import { connectAgain, meet, say, sendMany } from './meeting.js';
import { range, readCut, readLog, readPage, replay, seqsOf } from './reading.js';
import { verifies, type Scene } from './suite.js';

verifies('P-5.11', 'returns a cut and attaches when no position is given', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const annToo = await connectAgain(scene, ann);
  await say(bob, room, 'hi');

  const cut = await readCut(annToo, room);
  await say(bob, room, 'and now');
  const event = await annToo.event('message.created');

  const { presence: before, ...rest } = cut;
  const { presence, ...joined } = await ann.ok('room.join', { room });
  assert.deepEqual({ ...joined, seq: 4, messages: joined.messages.slice(0, 1) }, rest);
  assert.deepEqual(presence, before);
  assert.deepEqual(seqsOf(annToo.logged(room)), [event.seq]);
});

verifies('P-5.11', 'replays the events after a position and attaches', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch } = await readCut(ann, room);
  const bobToo = await connectAgain(scene, bob);
  const sent = [await say(ann, room, 'one'), await say(ann, room, 'two')];

  const page = await readPage(bobToo, room.toUpperCase(), { epoch, seq: 3 });
  const rest = await readPage(bobToo, room, { epoch, seq: 5 });
  await say(ann, room, 'three');
  await bobToo.event('message.created');

  assert.deepEqual(page, {
    room,
    epoch,
    seq: 5,
    complete: true,
    hasMore: false,
    events: sent.map((message) => ({
      event: 'message.created',
      data: { room, seq: message.seq, at: message.at, message },
    })),
  });
  assert.deepEqual(rest, { room, epoch, seq: 5, complete: true, events: [], hasMore: false });
  assert.deepEqual(seqsOf(bobToo.logged(room)), [6]);
});

verifies(
  ['P-5.11', 'P-9.8'],
  'replays in pages, and sends no live events before the last page',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(bob, room);
    await sendMany(ann, room, 40);
    await bob.until(() => seqsOf(bob.logged(room)).at(-1) === 43, 'the last message');

    const pages = [await readPage(bob, room, { epoch, seq: 0 })];
    await say(ann, room, 'between pages');
    await bob.roundTrip();
    const heard = bob.logged(room).length;
    for (let page = pages[0]; page?.hasMore === true; page = pages.at(-1)) {
      pages.push(await readPage(bob, room, { epoch, seq: page.seq }));
    }
    await say(ann, room, 'live again');
    const live = await bob.event('message.created', ({ seq }) => seq === 45);

    const sizes = pages.map(({ events }) => Buffer.byteLength(JSON.stringify(events)));
    assert(pages.length > 2 && sizes.every((size) => size <= 2_048), JSON.stringify(sizes));
    assert.deepEqual(seqsOf(pages.flatMap(({ events }) => events)), range(1, 44));
    assert(
      pages.every(({ events, seq }) => seqsOf(events).at(-1) === seq),
      'seq is that of the last event',
    );
    assert.equal(bob.logged(room).length, heard + 1, 'no live event arrives between pages');
    assert.equal(live.message.text, 'live again');
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '2048' } },
);

verifies('P-5.11', 'replays a long log completely', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await sendMany(ann, room, 1_100);
  const { epoch } = await readCut(ann, room);
  const bob = await scene.join('bob');
  await bob.ok('room.join', { room });

  const log = await readLog(bob, room, { epoch, seq: 0 });
  await say(ann, room, 'live');

  assert.deepEqual(seqsOf(log), range(1, 1_103));
  assert.equal((await bob.event('message.created')).seq, 1_104);
});

verifies('P-5.11', 'replays a log completely while others write', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch } = await readCut(ann, room);
  const bobToo = await connectAgain(scene, bob);
  await sendMany(ann, room, 300);

  const writing = sendMany(ann, room, 200);
  const log = await readLog(bobToo, room, { epoch, seq: 0 });
  await writing;
  await bobToo.until(() => seqsOf([...log, ...bobToo.logged(room)]).includes(503), 'the head');

  const live = bobToo.logged(room).filter(({ data }) => (data['seq'] as number) > log.length);
  assert.deepEqual(seqsOf([...log, ...live]), range(1, 503), 'live events continue the pages');
});

verifies(
  'P-5.11',
  'returns the reason when it cannot replay a log, and detaches',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(bob, room);

    const mismatch = await replay(bob, room, { epoch: 'another', seq: 1 });
    await say(ann, room, 'unheard');
    const ahead = await replay(bob, room, { epoch, seq: 5 });
    await say(ann, room, 'unheard too');
    await bob.roundTrip();

    const incomplete = { room, epoch, complete: false } as const;
    assert.deepEqual(mismatch, { ...incomplete, seq: 3, reason: 'epoch_mismatch' });
    assert.deepEqual(ahead, { ...incomplete, seq: 4, reason: 'ahead' });
    assert.deepEqual(bob.logged(room), [], 'the connection is not attached');
    assert.equal((await readCut(bob, room)).seq, 5);
  },
);

/** Deletes the beginning of a log, which no command does. */
async function trim({ server }: Scene, room: string, upTo: number): Promise<void> {
  assert(server !== undefined, 'the server is in this process');
  const writer = server.app.get(Writer);
  await writer.run([], ({ sql }) =>
    sql.run('DELETE FROM room_events WHERE room_id = $1 AND seq <= $2', room, upTo),
  );
}

verifies(
  ['P-5.11', 'P-5.12'],
  'reports that a log was trimmed',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    await sendMany(ann, room, 400);
    await trim(scene, room, 100);

    const trimmed = await replay(ann, room, { epoch, seq: 99 });
    const whole = await readLog(ann, room, { epoch, seq: 100 });
    const resume = { [room]: { epoch, seq: 50 } };
    const { resumed } = (await connectAgain(scene, bob, { resume })).welcome;

    const incomplete = { room, epoch, complete: false, reason: 'trimmed' } as const;
    assert.deepEqual(trimmed, { ...incomplete, seq: 403 });
    assert.deepEqual(seqsOf(whole), range(101, 403));
    assert.deepEqual(resumed, { [room]: { complete: false, reason: 'trimmed' } });
  },
  { settings: { PARLANCE_LIMIT_RESUME_EVENTS: '1000' } },
);

verifies(
  'P-5.11',
  'reports that all events after a position were trimmed',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const { epoch } = await readCut(ann, room);
    await sendMany(ann, room, 400);
    await trim(scene, room, 402);

    const page = await replay(ann, room, { epoch, seq: 99 });

    assert.deepEqual(page, { room, epoch, seq: 402, complete: false, reason: 'trimmed' });
  },
  { settings: {} },
);

verifies(
  ['P-5.11', 'P-4.2'],
  'refuses a sync by a non-member, of an unknown room or with an invalid position',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const bob = await scene.join('bob');
    const { epoch } = await readCut(ann, room);

    await bob.expectError('room.sync', { room }, 'not_member');
    await bob.expectError('room.sync', { room, epoch, after: 1 }, 'not_member');
    await ann.expectError('room.sync', { room: scene.room() }, 'not_found');
    await ann.expectError('room.sync', { room: scene.room(), epoch, after: 1 }, 'not_found');
    await ann.expectError('room.sync', { room, epoch }, 'invalid');
    await ann.expectError('room.sync', { room, after: 1 }, 'invalid');
    await ann.expectError('room.sync', { room, epoch, after: -1 }, 'invalid');
    await ann.expectError('room.sync', { room, epoch, after: 1.5 }, 'invalid');
  },
);
