import assert from 'node:assert/strict';

import { meet } from './meeting.js';
import { readCut } from './reading.js';
import { verifiesCore } from './suite.js';

verifiesCore('P-5.7', 'lists rooms in pages, ordered by id', async (scene) => {
  const ann = await scene.join('ann');
  const own = scene.room();
  // A collation of letters, as in a dictionary, would order them differently.
  const rooms = ['z', '-b', 'é', '_a', 'я'].map((end) => own + end);
  for (const room of rooms) await ann.ok('room.create', { room, title: `Title of ${room}` });
  const sorted = rooms.toSorted();

  const first = await ann.ok('room.list', { mine: true, limit: 2 });
  const second = await ann.ok('room.list', { mine: true, limit: 2, after: first.next ?? '' });
  const third = await ann.ok('room.list', { mine: true, limit: 2, after: second.next ?? '' });
  const whole = await ann.ok('room.list', { mine: true, limit: 5 });

  const idsOf = ({ rooms: page }: typeof first) => page.map(({ id }) => id);
  assert.deepEqual([first, second, third].map(idsOf), [
    sorted.slice(0, 2),
    sorted.slice(2, 4),
    sorted.slice(4),
  ]);
  assert.deepEqual(idsOf(whole), sorted);
  assert.deepEqual(
    { afterThird: third.next, afterWhole: whole.next },
    { afterThird: undefined, afterWhole: undefined },
  );
  const { info } = await ann.ok('room.get', { room: sorted[0] as string });
  assert.deepEqual(first.rooms[0], info);
});

verifiesCore(
  'P-5.7',
  'lists public rooms for all users, and only joined rooms on request',
  async (scene) => {
    const { room } = await meet(scene, 'ann');
    const bob = await scene.join('bob');
    const seen: string[] = [];

    for (let after: string | undefined = ''; after !== undefined;) {
      const page: { rooms: { id: string }[]; next?: string | undefined } = await bob.ok(
        'room.list',
        {
          after,
          limit: 100,
        },
      );
      seen.push(...page.rooms.map(({ id }) => id));
      after = page.next;
    }
    const mine = await bob.ok('room.list', { mine: true });

    assert(seen.includes(room) && seen.includes('general'), 'all public rooms are listed');
    assert.deepEqual(seen, seen.toSorted());
    assert.equal(new Set(seen).size, seen.length, 'no room is listed twice');
    assert.deepEqual(mine, { rooms: [] });
    await bob.expectError('room.list', { limit: 0 }, 'invalid');
    await bob.expectError('room.list', { limit: 101 }, 'invalid');
  },
);

verifiesCore('P-5.7', 'returns 50 rooms per page by default', async (scene) => {
  const ann = await scene.join('ann');
  for (let count = 0; count < 51; count++) await ann.ok('room.create', { room: scene.room() });

  const page = await ann.ok('room.list', { mine: true });

  assert.equal(page.rooms.length, 50);
  assert.equal(page.next, page.rooms.at(-1)?.id);
});

verifiesCore(['P-5.7', 'P-5.14'], 'does not list own logs as rooms', async (scene) => {
  const ann = await scene.join('ann');
  await ann.ok('room.create', { room: scene.room() });

  const { rooms } = await ann.ok('room.list', { limit: 1 });
  const { rooms: mine } = await ann.ok('room.list', { mine: true });

  assert(
    [...rooms, ...mine].every(({ id }) => !id.startsWith('@')),
    'rooms only',
  );
});

verifiesCore(['P-5.7', 'P-4.2'], 'returns a room to members and non-members', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const cem = await scene.join('cem');

  const cut = await readCut(bob, room);
  const forBob = await bob.ok('room.get', { room: room.toUpperCase() });
  const forCem = await cem.ok('room.get', { room });

  assert.equal(forBob.info.owner, ann.welcome.user.id);
  assert.deepEqual(forBob, { info: cut.info, you: cut.you });
  assert.deepEqual(forCem, { info: cut.info, you: null });
  await cem.expectError('room.get', { room: scene.room() }, 'not_found');
});

verifiesCore(['P-5.7', 'P-4.2'], 'lists members in pages, ordered by id', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob] = clients;
  const dan = await scene.join('dan');
  const ids = clients.map(({ welcome }) => welcome.user.id).toSorted();

  const first = await bob.ok('room.members', { room, limit: 2 });
  const second = await bob.ok('room.members', { room, limit: 2, after: first.next ?? '' });
  const { members: all } = await readCut(bob, room);

  const members = [...first.members, ...second.members];
  assert.deepEqual(
    { firstCount: first.memberCount, secondCount: second.memberCount, next: second.next },
    { firstCount: 3, secondCount: 3, next: undefined },
  );
  assert.deepEqual(
    members.map(({ user }) => user.id),
    ids,
  );
  assert.deepEqual(
    members,
    all.toSorted((a, b) => (a.user.id < b.user.id ? -1 : 1)),
  );
  assert.equal(members.find(({ user }) => user.name === 'ann')?.role, 'owner');
  await dan.expectError('room.members', { room }, 'not_member');
  await ann.expectError('room.members', { room: scene.room() }, 'not_found');
  await ann.expectError('room.members', { room, limit: 101 }, 'invalid');
});

verifiesCore(['P-5.7', 'P-5.1'], 'lets the owner change the title', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;

  const { info } = await ann.ok('room.update', { room, title: ' Front Desk ' });
  const event = await bob.event('room.updated');
  const { info: later } = await bob.ok('room.get', { room });

  assert.deepEqual(
    { id: info.id, title: info.title, memberCount: info.memberCount },
    { id: room, title: 'Front Desk', memberCount: 2 },
  );
  assert.deepEqual({ seq: event.seq, info: event.info }, { seq: 4, info });
  assert.deepEqual(later, info);
  assert.deepEqual((await readCut(bob, room)).info, info);
});

verifiesCore('P-5.7', 'writes no event when the title does not change', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await ann.ok('room.update', { room, title: 'Once' });

  const { info } = await ann.ok('room.update', { room, title: 'Once ' });

  assert.equal(info.title, 'Once');
  assert.equal((await readCut(ann, room)).seq, 3);
});

verifiesCore(
  ['P-5.7', 'P-4.2'],
  'refuses a title change by anyone but the owner',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const cem = await scene.join('cem');

    await bob.expectError('room.update', { room, title: 'Mine' }, 'forbidden');
    await cem.expectError('room.update', { room, title: 'Mine' }, 'forbidden');
    await ann.expectError('room.update', { room: scene.room(), title: 'Mine' }, 'not_found');
    await ann.expectError('room.update', { room, title: ' ' }, 'invalid');
    assert.equal((await ann.ok('room.get', { room })).info.title, room);
  },
);

verifiesCore(['P-5.13', 'P-5.7'], 'provides a default room without an owner', async (scene) => {
  const ann = await scene.join('ann');

  const before = await ann.ok('room.get', { room: 'general' });
  const cut = await ann.ok('room.join', { room: 'General' });

  assert.equal(before.you, null);
  assert.deepEqual(
    { room: cut.room, owner: cut.info.owner, role: cut.you.role },
    { room: 'general', owner: null, role: 'member' },
  );
  await ann.expectError('room.update', { room: 'general', title: 'Mine' }, 'forbidden');
});

verifiesCore(
  'P-5.13',
  'lets the operator choose the default room',
  async (scene) => {
    const ann = await scene.join('ann');

    const cut = await ann.ok('room.join', { room: 'Lobby' });

    assert.deepEqual(
      { room: cut.room, title: cut.info.title, owner: cut.info.owner },
      { room: 'lobby', title: 'Lobby', owner: null },
    );
    await ann.expectError('room.join', { room: 'general' }, 'not_found');
  },
  { settings: { PARLANCE_DEFAULT_ROOM: 'Lobby' } },
);
