import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';

import type { EventData } from '#src/protocol/events.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { connectCrowd } from './crowd.js';
import { idOf } from './directs.js';
import { limitInForce } from './limit-in-force.js';
import { connectAgain, meet, say } from './meeting.js';
import { readCut, readLog } from './reading.js';
import { verifies, verifiesCore } from './suite.js';

type Typing = EventData<'typing'>;

const isEnd = ({ stopped = [] }: Typing) => stopped.length > 0;
const typingSeen = (client: TestClient) =>
  client.events('typing').map(({ data }) => data as unknown as Typing);
/** Returns how many users each event announced as typing. */
const startsSeen = (client: TestClient) => typingSeen(client).map(({ started }) => started?.length);

verifiesCore(['P-7.4', 'P-7.1'], 'sends typing to the other members', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob, cem] = clients;
  const bobToo = await connectAgain(scene, bob);
  await bobToo.ok('room.join', { room });
  const detached = await connectAgain(scene, ann);

  const reply = await bob.ok('typing.set', { room: room.toUpperCase(), active: true });
  const active = await ann.event('typing');
  await cem.event('typing');
  await bob.ok('typing.set', { room, active: false });
  const done = await ann.event('typing');
  for (const client of [bob, bobToo, detached]) await client.roundTrip();

  const expiresInMs = limitInForce(scene, 'typingExpireMs');
  const { user } = bob.welcome;
  assert.deepEqual(reply, {});
  assert.deepEqual(active, { room, started: [user], stopped: [], count: 1, expiresInMs });
  assert.deepEqual(done, { room, started: [], stopped: [user.id], count: 0, expiresInMs });
  for (const client of [bob, bobToo, detached]) assert.deepEqual(client.events('typing'), []);
});

verifiesCore('P-7.4', 'does not forward repeats within the throttle interval', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const bobToo = await connectAgain(scene, bob);
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
  await ann.event('typing', isEnd);
  await ann.roundTrip();

  assert.deepEqual(
    typingSeen(ann).map(({ room: where, started }) => [where, started?.length === 1]),
    [
      [room, true],
      [other, true],
      [room, false],
    ],
  );
});

verifiesCore(
  'P-7.4',
  'keeps the throttle of a user who leaves the room and returns',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    await bob.ok('typing.set', { room, active: true });
    await bob.ok('room.leave', { room });
    await bob.ok('room.join', { room });
    await bob.ok('typing.set', { room, active: false });
    await bob.ok('typing.set', { room, active: true });
    await bob.close();
    const back = await connectAgain(scene, bob);
    await back.ok('room.join', { room });
    await back.ok('typing.set', { room, active: true });
    await ann.roundTrip();

    assert.deepEqual(startsSeen(ann), [1]);
  },
);

verifiesCore(
  ['P-7.4', 'P-7.5'],
  'resets the throttle on a message, but not on its repeat',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const typing = (active: boolean) => bob.ok('typing.set', { room, active });

    await typing(true);
    await say(bob, room, 'one', { cid: 'c-1' });
    await typing(false);
    await typing(true);
    await ann.until(() => startsSeen(ann).length === 2, 'the second announcement');
    await bob.ok('message.send', { room, text: 'one', cid: 'c-1' });
    await typing(true);
    await typing(false);
    await ann.event('typing', isEnd);
    await ann.roundTrip();

    assert.deepEqual(startsSeen(ann), [1, 1, 0]);
  },
);

verifiesCore(
  ['P-7.4', 'P-9.1', 'P-9.10'],
  'forwards a repeat after the throttle interval',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    const began = performance.now();
    let sent = 0;
    for (; ann.events('typing').length < 2; sent++) {
      await bob.ok('typing.set', { room, active: true });
      // In memory, a client that only awaits replies would starve the timers of the server.
      await turn();
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

verifiesCore(
  ['P-7.4', 'P-4.2'],
  'refuses typing from a connection that is not attached',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const cem = await scene.join('cem');
    const bobToo = await connectAgain(scene, bob);

    await cem.expectError('typing.set', { room, active: true }, 'not_member');
    await bobToo.expectError('typing.set', { room, active: true }, 'not_member');
    await bob.expectError('typing.set', { room: scene.room(), active: true }, 'not_found');
    await bob.expectError('typing.set', { room }, 'invalid');
    await bob.ok('room.leave', { room });
    await bob.expectError('typing.set', { room, active: true }, 'not_member');
    await ann.roundTrip();
    assert.deepEqual(ann.events('typing'), []);
  },
);

verifies(
  ['P-7.4', 'P-9.1'],
  'sends the first change at once, and later changes of an interval in one event',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem', 'dan', 'eve');
    const [ann, bob, cem, dan, eve] = clients;

    await bob.ok('typing.set', { room, active: true });
    const first = await ann.event('typing');
    await cem.ok('typing.set', { room, active: true });
    await dan.ok('typing.set', { room, active: true });
    await eve.ok('typing.set', { room, active: true });
    await bob.ok('typing.set', { room, active: false });
    await eve.ok('typing.set', { room, active: false });
    const { started, stopped, count } = await ann.event('typing', isEnd);

    assert.deepEqual(
      { started: first.started, count: first.count },
      { started: [bob.welcome.user], count: 1 },
    );
    assert.deepEqual(started, [cem.welcome.user, dan.welcome.user]);
    assert.deepEqual({ stopped, count }, { stopped: [idOf(bob)], count: 2 });
    assert.equal(ann.events('typing').length, 2);
  },
  // Long enough for all changes to fall into one interval, even on a slow machine.
  { settings: { PARLANCE_LIMIT_TYPING_INTERVAL_MS: '1500' }, only: ['websocket'] },
);

verifies(
  'P-7.4',
  'does not announce a user who has sent the message or left within the interval',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem', 'dan', 'eve');
    const [ann, bob, cem, dan, eve] = clients;

    await bob.ok('typing.set', { room, active: true });
    for (const client of [cem, dan, eve]) await client.ok('typing.set', { room, active: true });
    await say(cem, room, 'written');
    await dan.close();
    const online = async () => (await readCut(ann, room)).presence.count;
    await eventually(async () => (await online()) === 4, 'the end of the session');
    const { started, count } = await ann.event('typing', ({ count: now }) => now !== 1);

    assert.deepEqual({ started, count }, { started: [eve.welcome.user], count: 2 });
  },
  { settings: { PARLANCE_LIMIT_TYPING_INTERVAL_MS: '1500' }, only: ['websocket'] },
);

verifies(
  'P-7.4',
  'sends only the number of typing users above 100 members, in few events',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const guests = await connectCrowd(scene, room, 100);
    const expiresInMs = limitInForce(scene, 'typingExpireMs');

    await Promise.all(guests.map((guest) => guest.ok('typing.set', { room, active: true })));
    const last = await ann.event('typing', ({ count }) => count === 100);

    assert.deepEqual(last, { room, count: 100, expiresInMs });
    assert.equal(ann.events('typing').length, 2);
    for (const guest of guests) await guest.close();
  },
  { settings: { PARLANCE_LIMIT_TYPING_INTERVAL_MS: '1500' }, only: ['websocket'] },
);

verifiesCore('P-7.5', 'sends no end of typing after a message or a leave', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;

  await bob.ok('typing.set', { room, active: true });
  await say(bob, room, 'hi');
  await bob.ok('room.leave', { room });
  await ann.event('member.left');
  await ann.roundTrip();

  assert.deepEqual(startsSeen(ann), [1]);
});

verifiesCore('P-7.1', 'replays no ephemeral events', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch, seq } = await readCut(ann, room);

  await bob.ok('typing.set', { room, active: true });
  await ann.event('typing');
  await ann.event('presence');
  await say(bob, room, 'hi');
  const log = await readLog(ann, room, { epoch, seq: 0 });
  const back = await connectAgain(scene, ann, { resume: { [room]: { epoch, seq } } });
  await back.event('message.created');

  assert.deepEqual(
    log.map(({ event }) => event),
    ['room.created', 'member.joined', 'member.joined', 'message.created'],
  );
  assert.deepEqual(back.events('typing'), []);
  assert(
    ann.events('typing').every(({ data }) => data['seq'] === undefined),
    'typing has no position',
  );
});
