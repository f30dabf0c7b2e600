import assert from 'node:assert/strict';

import { again, meet, say } from './meeting.js';
import { readCut, readLog } from './reading.js';
import { verifies } from './suite.js';

verifies(['P-7.4', 'P-7.1'], 'tells the others who is typing', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob, cem] = clients;
  const bobToo = await again(scene, bob);
  await bobToo.ok('room.join', { room });
  const aside = await again(scene, ann);

  const reply = await bob.ok('typing.set', { room: room.toUpperCase(), active: true });
  const active = await ann.event('typing');
  await cem.event('typing');
  await bob.ok('typing.set', { room, active: false });
  const done = await ann.event('typing');
  for (const client of [bob, bobToo, aside]) await client.settled();

  const { typingExpireMs } = ann.welcome.limits;
  const { user } = bob.welcome;
  assert.deepEqual(reply, {});
  assert.deepEqual(active, { room, user, active: true, expiresInMs: typingExpireMs });
  assert.deepEqual([done.room, done.user, done.active], [room, user, false]);
  for (const client of [bob, bobToo, aside]) assert.deepEqual(client.events('typing'), []);
});

verifies('P-7.4', 'sends sooner repeats not on', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const bobToo = await again(scene, bob);
  await bobToo.ok('room.join', { room });
  const other = scene.room();
  await ann.ok('room.create', { room: other });
  await bob.ok('room.join', { room: other });
  const typing = { room, active: true };

  await bob.ok('typing.set', { room, active: false });
  await bob.ok('typing.set', typing);
  await bob.ok('typing.set', typing);
  await bobToo.ok('typing.set', typing);
  await bob.ok('typing.set', { room: other, active: true });
  await bobToo.ok('typing.set', { room, active: false });
  await bob.ok('typing.set', { room, active: false });
  for (const active of [true, false, true, true, false]) {
    await bob.ok('typing.set', { room, active });
    await bobToo.ok('typing.set', { room, active });
  }
  await ann.event('typing', ({ active }) => !active);
  await ann.settled();

  assert.deepEqual(
    ann.events('typing').map(({ data }) => [data['room'], data['active']]),
    [
      [room, true],
      [other, true],
      [room, false],
    ],
  );
});

verifies('P-7.4', 'knows the throttle of a user who was away from the room', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;

  await bob.ok('typing.set', { room, active: true });
  await bob.ok('room.leave', { room });
  await bob.ok('room.join', { room });
  await bob.ok('typing.set', { room, active: false });
  await bob.ok('typing.set', { room, active: true });
  await bob.close();
  const back = await again(scene, bob);
  await back.ok('room.join', { room });
  await back.ok('typing.set', { room, active: true });
  await ann.settled();

  assert.deepEqual(
    ann.events('typing').map(({ data }) => data['active']),
    [true],
  );
});

verifies(
  ['P-7.4', 'P-7.5'],
  'begins the throttle anew with a message, not with its repeat',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const typing = (active: boolean) => bob.ok('typing.set', { room, active });

    await typing(true);
    await say(bob, room, 'one', { cid: 'c-1' });
    await typing(false);
    await typing(true);
    await bob.ok('message.send', { room, text: 'one', cid: 'c-1' });
    await typing(true);
    await typing(false);
    await ann.event('typing', ({ active }) => !active);
    await ann.settled();

    assert.deepEqual(
      ann.events('typing').map(({ data }) => data['active']),
      [true, true, false],
    );
  },
);

verifies(
  ['P-7.4', 'P-9.1', 'P-9.10'],
  'sends a repeat on after the throttle',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    const began = performance.now();
    let sent = 0;
    for (; ann.events('typing').length < 2; sent++) {
      await bob.ok('typing.set', { room, active: true });
    }
    const took = performance.now() - began;

    const { expiresInMs } = await ann.event('typing');
    assert(sent > 2 && took >= 300, `${String(sent)} in ${String(took)} ms`);
    assert.equal(expiresInMs, 700);
  },
  {
    settings: {
      PARLANCE_LIMIT_TYPING_THROTTLE_MS: '300',
      PARLANCE_LIMIT_TYPING_EXPIRE_MS: '700',
    },
  },
);

verifies(['P-7.4', 'P-4.2'], 'refuses typing where one is not attached', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const cem = await scene.join('cem');
  const bobToo = await again(scene, bob);

  await cem.refused('typing.set', { room, active: true }, 'not_member');
  await bobToo.refused('typing.set', { room, active: true }, 'not_member');
  await bob.refused('typing.set', { room: scene.room(), active: true }, 'not_found');
  await bob.refused('typing.set', { room }, 'invalid');
  await bob.ok('room.leave', { room });
  await bob.refused('typing.set', { room, active: true }, 'not_member');
  await ann.settled();
  assert.deepEqual(ann.events('typing'), []);
});

verifies('P-7.5', 'leaves it to the client to end typing in other cases', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;

  await bob.ok('typing.set', { room, active: true });
  await say(bob, room, 'hi');
  await bob.ok('room.leave', { room });
  await ann.event('member.left');
  await ann.settled();

  assert.deepEqual(
    ann.events('typing').map(({ data }) => data['active']),
    [true],
  );
});

verifies('P-7.1', 'replays nothing that is ephemeral', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch, seq } = await readCut(ann, room);

  await bob.ok('typing.set', { room, active: true });
  await ann.event('typing');
  await ann.event('presence');
  await say(bob, room, 'hi');
  const log = await readLog(ann, room, { epoch, seq: 0 });
  const back = await again(scene, ann, { resume: { [room]: { epoch, seq } } });
  await back.event('message.created');

  assert.deepEqual(
    log.map(({ event }) => event),
    ['room.created', 'member.joined', 'member.joined', 'message.created'],
  );
  assert.deepEqual(back.events('typing'), []);
  assert(
    ann.events('typing').every(({ data }) => data['seq'] === undefined),
    'typing takes no position',
  );
});
