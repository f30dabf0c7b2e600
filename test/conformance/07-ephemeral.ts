import assert from 'node:assert/strict';

import type { EventData } from '#src/protocol/events.js';

import { eventually } from '../support/eventually.js';
import { connectCrowd } from './crowd.js';
import { idOf } from './directs.js';
import { limitInForce } from './limit-in-force.js';
import { connectAgain, meet } from './meeting.js';
import { range, readCut } from './reading.js';
import { verifies } from './suite.js';

verifies('P-7.2', 'lists online members in the cut', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob, cem] = clients;
  const dan = await scene.join('dan');
  await dan.ok('room.join', { room });
  const ids = clients.map(idOf);

  await bob.ok('room.leave', { room });
  await dan.close();
  const online = async () => (await readCut(ann, room)).presence.count;
  await eventually(async () => (await online()) === 2, 'the end of the session');
  const cut = await readCut(await connectAgain(scene, cem), room);

  assert.equal(cut.presence.count, 2);
  assert.deepEqual(cut.presence.online?.toSorted(), [ids[0], ids[2]].toSorted());
  assert.equal(cut.memberCount, 3, 'an offline user is still a member');
});

verifies(
  ['P-7.2', 'P-7.3'],
  'counts a user once while at least one connection is attached',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const bobToo = await connectAgain(scene, bob);
    const detached = await connectAgain(scene, bob);
    const { presence } = await bobToo.ok('room.join', { room });
    await ann.event('presence', ({ online }) => online?.includes(idOf(bob)) ?? false);

    await bob.close();
    const eve = await scene.join('eve');
    await eve.ok('room.join', { room });
    const third = await ann.event('presence', ({ online }) => online?.includes(idOf(eve)) ?? false);
    await bobToo.close();
    const gone = await ann.event(
      'presence',
      ({ offline }) => offline?.includes(idOf(bob)) ?? false,
    );
    await detached.roundTrip();

    assert.equal(presence.count, 2);
    assert.deepEqual({ offline: third.offline, count: third.count }, { offline: [], count: 3 });
    assert.deepEqual(gone, { room, online: [], offline: [idOf(bob)], count: 2 });
    assert.deepEqual(detached.events(), [], 'a connection that is not attached gets nothing');
  },
);

verifies('P-7.3', 'sends changes of presence at most once per interval', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await ann.event('presence', ({ count }) => count === 1);
  const before = ann.events('presence').length;
  const began = performance.now();

  const guests = await Promise.all(range(1, 8).map((n) => scene.join(`guest ${String(n)}`)));
  for (const guest of guests) await guest.ok('room.join', { room });
  await ann.event('presence', ({ count }) => count === 9);
  for (const guest of guests.slice(1)) await guest.close();
  const isLast = ({ offline = [], count }: EventData<'presence'>) =>
    offline.length > 0 && count === 2;
  const last = await ann.event('presence', isLast);

  const events = ann.events('presence').slice(before);
  const intervals = (performance.now() - began) / limitInForce(scene, 'presenceIntervalMs');
  const most = intervals + 1;
  assert(events.length <= most, `${String(events.length)} in ${String(intervals)} intervals`);
  const named = (field: string) => events.flatMap(({ data }) => data[field] as string[]);
  assert.deepEqual(named('online').toSorted(), guests.map(idOf).toSorted());
  assert.deepEqual(named('offline').toSorted(), guests.slice(1).map(idOf).toSorted());
  assert.equal(last.room, room);
  assert(
    events.every(({ data }) => data['seq'] === undefined),
    'presence has no position',
  );
});

verifies(
  ['P-7.2', 'P-7.3'],
  'sends only the count above 100 members',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;

    const guests = await connectCrowd(scene, room, 99);
    await ann.event('presence', ({ count }) => count === 100);
    const hundred = await readCut(ann, room);
    const bob = await scene.join('bob');
    const more = await bob.ok('room.join', { room });
    const event = await ann.event('presence', ({ count }) => count === 101);
    for (const guest of guests.slice(1)) await guest.close();
    const less = await ann.event('presence', ({ online, count }) => !online && count === 3);

    assert.deepEqual(
      { online: hundred.presence.online?.length, count: hundred.presence.count },
      { online: 100, count: 100 },
    );
    assert.deepEqual(more.presence, { count: 101 });
    assert.deepEqual(
      { memberCount: more.memberCount, members: more.members.length },
      { memberCount: 101, members: 100 },
    );
    assert.deepEqual({ event, less }, { event: { room, count: 101 }, less: { room, count: 3 } });
  },
  { settings: {} },
);
