import assert from 'node:assert/strict';

import type { EventData } from '#src/protocol/events.js';

import { openInMemory } from '../support/channels/in-memory.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { again, meet } from './meeting.js';
import { range, readCut } from './reading.js';
import { verifies, type Scene } from './suite.js';

const idOf = ({ welcome }: TestClient): string => welcome.user.id;

verifies('P-7.2', 'tells in the cut who is online', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob, cem] = clients;
  const dan = await scene.join('dan');
  await dan.ok('room.join', { room });
  const ids = clients.map(idOf);

  await bob.ok('room.leave', { room });
  await dan.close();
  const online = async () => (await readCut(ann, room)).presence.count;
  await eventually(async () => (await online()) === 2, 'the leaving');
  const cut = await readCut(await again(scene, cem), room);

  assert.equal(cut.presence.count, 2);
  assert.deepEqual(cut.presence.online?.toSorted(), [ids[0], ids[2]].toSorted());
  assert.equal(cut.memberCount, 3, 'who is offline is a member still');
});

verifies(
  ['P-7.2', 'P-7.3'],
  'counts a user once, while one connection is attached',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const bobToo = await again(scene, bob);
    const aside = await again(scene, bob);
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
    await aside.settled();

    assert.equal(presence.count, 2);
    assert.deepEqual([third.offline, third.count], [[], 3]);
    assert.deepEqual(gone, { room, online: [], offline: [idOf(bob)], count: 2 });
    assert.deepEqual(aside.events(), [], 'who is not attached is not told');
  },
);

verifies('P-7.3', 'tells who came and went, once in an interval at most', async (scene) => {
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
  const intervals = (performance.now() - began) / ann.welcome.limits.presenceIntervalMs;
  const most = intervals + 1;
  assert(events.length <= most, `${String(events.length)} in ${String(intervals)} intervals`);
  const named = (field: string) => events.flatMap(({ data }) => data[field] as string[]);
  assert.deepEqual(named('online').toSorted(), guests.map(idOf).toSorted());
  assert.deepEqual(named('offline').toSorted(), guests.slice(1).map(idOf).toSorted());
  assert.equal(last.room, room);
  assert(
    events.every(({ data }) => data['seq'] === undefined),
    'presence takes no position',
  );
});

/** Has guests join a room, in memory: a crowd over the transport under test would take long. */
async function crowd({ server }: Scene, room: string, size: number): Promise<TestClient[]> {
  assert(server !== undefined, 'the server is in this process');
  const guests: TestClient[] = [];
  while (guests.length < size) {
    const guest = await TestClient.connect((listener) => openInMemory(server.inMemory, listener));
    await guest.ok('hello', { protocol: 1 });
    await guest.ok('room.join', { room });
    guests.push(guest);
  }
  return guests;
}

verifies(
  ['P-7.2', 'P-7.3'],
  'gives the count alone above 100 members',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;

    const guests = await crowd(scene, room, 99);
    await ann.event('presence', ({ count }) => count === 100);
    const hundred = await readCut(ann, room);
    const bob = await scene.join('bob');
    const more = await bob.ok('room.join', { room });
    const event = await ann.event('presence', ({ count }) => count === 101);
    for (const guest of guests.slice(1)) await guest.close();
    const less = await ann.event('presence', ({ online, count }) => !online && count === 3);

    assert.deepEqual([hundred.presence.online?.length, hundred.presence.count], [100, 100]);
    assert.deepEqual(more.presence, { count: 101 });
    assert.deepEqual([more.memberCount, more.members.length], [101, 100]);
    assert.deepEqual(
      [event, less],
      [
        { room, count: 101 },
        { room, count: 3 },
      ],
    );
  },
  { settings: {} },
);
