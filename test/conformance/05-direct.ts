import assert from 'node:assert/strict';

import { HeldWriter } from '../support/held-writer.js';
import { idOf, openDirectRoom, openWith } from './directs.js';
import { connectAgain, say } from './meeting.js';
import { checkRate } from './rate.js';
import { positionIn, range, readHistory, readLog, readPage, seqsOf } from './reading.js';
import { verifiesCore } from './suite.js';

verifiesCore(['P-5.17', 'P-5.16', 'P-5.1'], 'creates a direct room of two users', async (scene) => {
  const ann = await scene.join('ann');
  const bob = await scene.join('bob');
  const { created, ...cut } = await openWith(ann, bob);
  const theirs = await openWith(bob, ann);
  const log = await readLog(ann, cut.room, { epoch: cut.epoch, seq: 0 });

  const users = [ann, bob].map(({ welcome }) => welcome.user);
  users.sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.match(cut.room, /^@dm-[\w-]{24}$/);
  const { createdAt } = cut.info;
  assert.deepEqual(cut.info, {
    id: cut.room,
    kind: 'direct',
    title: '',
    owner: null,
    memberCount: 2,
    createdAt,
    users,
  });
  assert.deepEqual(
    { created, seq: cut.seq, messages: cut.messages, hasMore: cut.hasMore },
    { created: true, seq: 3, messages: [], hasMore: false },
  );
  assert.deepEqual(cut.you.user, ann.welcome.user);
  const members = cut.members.toSorted((a, b) => (a.user.id < b.user.id ? -1 : 1));
  assert.deepEqual(
    members.map(({ user, role }) => ({ user, role })),
    users.map((user) => ({ user, role: 'member' })),
  );
  assert.deepEqual(cut.presence, { online: [idOf(ann)], count: 1 });
  assert.deepEqual(
    { created: theirs.created, room: theirs.room, seq: theirs.seq },
    { created: false, room: cut.room, seq: 3 },
  );
  assert.deepEqual(
    log.map(({ event }) => event),
    ['room.created', 'member.joined', 'member.joined'],
  );
});

verifiesCore(
  ['P-5.17', 'P-5.14'],
  'sends dm.opened to all connections of both users',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const tabs = [ann, await connectAgain(scene, ann), bob, await connectAgain(scene, bob)];

    const { info } = await openWith(ann, bob);
    await openWith(bob, ann);
    const opened = await Promise.all(tabs.map((tab) => tab.event('dm.opened')));
    for (const tab of tabs) await tab.roundTrip();

    for (const [index, event] of opened.entries()) {
      const seq = (tabs[index]?.welcome.me.seq ?? 0) + 1;
      assert.deepEqual(event, { room: '@me', seq, at: event.at, info, user: ann.welcome.user });
    }
    assert.deepEqual(
      tabs.map((tab) => tab.events('dm.opened').length),
      [1, 1, 1, 1],
      'opening it again sends nothing',
    );
  },
);

verifiesCore(
  ['P-5.17', 'P-5.16'],
  'opens a room with a user who is away, and sends dm.opened when the user returns',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    await bob.ok('user.update', { name: 'robert' });
    const { me } = bob.welcome;
    await bob.close();

    const { room, members } = await openWith(ann, bob);
    await say(ann, room, 'are you there?');
    const back = await connectAgain(scene, bob, { resume: { '@me': me } });
    const { info, user } = await back.event('dm.opened');
    const { messages } = await back.ok('room.join', { room: info.id });

    assert.deepEqual(members.map(({ user: { name } }) => name).sort(), ['ann', 'robert']);
    assert.deepEqual({ room: info.id, user }, { room, user: ann.welcome.user });
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['are you there?'],
    );
  },
);

verifiesCore(
  ['P-5.16', 'P-5.17'],
  'creates one room when several connections open it at the same time',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const tabs = [ann, bob, await connectAgain(scene, ann), await connectAgain(scene, bob)];

    const ids = tabs.map((tab, index) =>
      tab.post('dm.open', { user: idOf(index % 2 ? ann : bob) }),
    );
    const replies = await Promise.all(tabs.map((tab, index) => tab.reply(ids[index])));
    for (const tab of tabs) await tab.roundTrip();

    const cuts = replies.map((reply) => {
      assert(reply.ok, JSON.stringify(reply));
      return reply.data as Awaited<ReturnType<typeof openWith>>;
    });
    assert.equal(new Set(cuts.map(({ room, epoch }) => `${room} ${epoch}`)).size, 1);
    assert.equal(cuts.filter(({ created }) => created).length, 1);
    assert.deepEqual(
      cuts.map(({ seq, memberCount }) => ({ seq, memberCount })),
      tabs.map(() => ({ seq: 3, memberCount: 2 })),
    );
    for (const tab of tabs) assert.equal(tab.events('dm.opened').length, 1);
  },
);

verifiesCore(
  ['P-5.16', 'P-5.17', 'P-3.5'],
  'creates one room when both users open it in one transaction',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const held = await HeldWriter.hold(scene.server);
    const first = ann.post('dm.open', { user: idOf(bob) });
    await held.untilQueued(1);
    const second = bob.post('dm.open', { user: idOf(ann) });
    await held.untilQueued(2);
    held.release();
    const replies = [await ann.reply(first), await bob.reply(second)];

    assert.deepEqual(
      replies.map((reply) => reply.ok && (reply.data as { created: boolean }).created),
      [true, false],
    );
    const { directs } = await bob.ok('dm.list', {});
    assert.deepEqual(
      directs.map(({ seq, info }) => ({ seq, memberCount: info.memberCount })),
      [{ seq: 3, memberCount: 2 }],
    );
  },
  { settings: {} },
);

verifiesCore(
  ['P-5.16', 'P-5.12', 'P-6.11', 'P-7.2'],
  'supports messages, history, resume, sync, presence, typing and renames like any other room',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const position = await positionIn(bob, room);
    await ann.event('presence', ({ online = [] }) => online.includes(idOf(bob)));
    await ann.ok('typing.set', { room, active: true });
    const typing = await bob.event('typing');
    const { id: message } = await say(ann, room, 'hi', { cid: 'c-1' });
    await bob.ok('message.react', { room, message, emoji: '👍' });
    await ann.ok('message.edit', { room, message, text: 'hi bob' });
    await bob.close();
    await ann.event('presence', ({ offline = [] }) => offline.includes(idOf(bob)));
    await say(ann, room, 'are you gone?', { replyTo: message });
    await ann.ok('user.update', { name: 'anna' });
    const back = await connectAgain(scene, bob, { resume: { [room]: position } });
    await say(back, room, 'no');
    const { found } = await ann.ok('message.status', { room, cid: 'c-1' });
    const { duplicate } = await ann.ok('message.send', { room, text: 'hi', cid: 'c-1' });
    await ann.event('message.created', ({ message: { text } }) => text === 'no');

    assert.deepEqual(
      { started: typing.started, room: typing.room },
      { started: [ann.welcome.user], room },
    );
    assert.deepEqual(back.welcome.resumed[room], { complete: true, seq: 8 });
    assert.deepEqual(seqsOf(back.logged(room)), range(position.seq + 1, 9));
    assert.deepEqual(
      (await readHistory(back, room)).map(({ text }) => text),
      ['hi bob', 'are you gone?', 'no'],
    );
    assert.deepEqual({ found, duplicate }, { found: true, duplicate: true });
    const { info } = await back.ok('room.get', { room });
    const names = info.users?.map(({ name }) => name).sort();
    assert.deepEqual(names, ['anna', 'bob'], 'with current names');
    assert.equal((await readPage(back, room, { ...position, seq: 8 })).events.length, 1);
    await back.expectError('message.delete', { room, message }, 'forbidden');
    const { message: gone } = await ann.ok('message.delete', { room, message });
    assert.equal(gone.deletedBy, idOf(ann));
  },
);

verifiesCore(
  ['P-5.17', 'P-4.2'],
  'refuses a direct room with an unknown user or with oneself',
  async (scene) => {
    const ann = await scene.join('ann');
    const gone = await scene.join('gone');
    await gone.close();

    await ann.expectError('dm.open', { user: idOf(ann) }, 'invalid');
    await ann.expectError('dm.open', { user: 'nobody' }, 'not_found');
    await ann.expectError('dm.open', { user: '' }, 'invalid');
    const { directs } = await ann.ok('dm.list', {});
    assert.deepEqual(directs, []);
  },
);

verifiesCore(['P-5.18', 'P-5.7'], 'lists direct rooms in pages, latest first', async (scene) => {
  const ann = await scene.join('ann');
  const others = [await scene.join('bob'), await scene.join('cem'), await scene.join('dan')];
  const rooms: string[] = [];
  for (const other of others) rooms.push((await openWith(ann, other)).room);
  const { at } = await say(ann, rooms[0] ?? '', 'hi');

  const first = await ann.ok('dm.list', { limit: 2 });
  const rest = await ann.ok('dm.list', { limit: 2, after: first.next ?? '' });
  const whole = await ann.ok('dm.list', {});
  const theirs = await others[0]?.ok('dm.list', {});
  const { rooms: listed } = await ann.ok('room.list', { mine: true });

  assert.deepEqual([...first.directs, ...rest.directs], whole.directs);
  assert.deepEqual(
    { afterRest: rest.next, afterWhole: whole.next },
    { afterRest: undefined, afterWhole: undefined },
  );
  assert.deepEqual(
    whole.directs.map(({ info }) => info.id).sort(),
    rooms.toSorted(),
    'each room is listed once',
  );
  assert(whole.directs.every((entry, i) => entry.at <= (whole.directs[i - 1]?.at ?? Infinity)));
  const entry = whole.directs.find(({ info }) => info.id === rooms[0]);
  assert.deepEqual({ seq: entry?.seq, at: entry?.at }, { seq: 4, at });
  assert.deepEqual(theirs?.directs, [entry], 'both users get the same entry');
  assert.deepEqual(entry?.info, (await ann.ok('room.get', { room: rooms[0] ?? '' })).info);
  assert.deepEqual(listed, []);
  for (const after of ['x', '1', '1.@me', `1.${rooms[0] ?? ''}x`]) {
    await ann.expectError('dm.list', { after }, 'invalid');
  }
});

verifiesCore(
  ['P-9.10', 'P-5.17'],
  'limits how many direct rooms a user creates per hour',
  async (scene) => {
    const ann = await scene.join('ann');
    const others = [await scene.join('bob'), await scene.join('cem'), await scene.join('dan')];
    const [bob, cem, dan] = others.map(idOf);
    await ann.ok('dm.open', { user: bob ?? '' });
    await ann.expectError('dm.open', { user: 'nobody' }, 'not_found');
    await ann.ok('dm.open', { user: cem ?? '' });
    const error = await ann.expectError('dm.open', { user: dan }, 'rate_limited');
    const { created } = await ann.ok('dm.open', { user: bob ?? '' });
    await others[2]?.ok('dm.open', { user: idOf(ann) });

    const wait = checkRate(error, 'directs');
    assert(wait > 60_000 && wait <= 1_800_000, `${String(wait)} ms for two rooms an hour`);
    assert.equal(created, false, 'an existing room may be opened');
  },
  { settings: { PARLANCE_LIMIT_DIRECTS_PER_HOUR: '2' } },
);

verifiesCore(
  ['P-9.6', 'P-5.17', 'P-4.2'],
  'limits the direct rooms of each of the two users, apart from public rooms',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const cem = await scene.join('cem');
    await ann.ok('room.join', { room: 'general' });
    const own = await ann.expectError('dm.open', { user: idOf(cem) }, 'limit_reached');
    const others = await cem.expectError('dm.open', { user: idOf(ann) }, 'limit_reached');
    await ann.ok('room.leave', { room });
    await cem.ok('dm.open', { user: idOf(ann) });
    const back = await bob.expectError('message.send', { room, text: 'hi' }, 'limit_reached');

    for (const { details } of [own, others, back]) {
      assert.deepEqual(details, { limit: 'directsPerUser', value: 1 });
    }
  },
  { settings: { PARLANCE_LIMIT_DIRECTS_PER_USER: '1', PARLANCE_LIMIT_ROOMS_PER_USER: '1' } },
);

verifiesCore(
  ['P-9.6', 'P-5.17'],
  'refuses to open a direct room beyond the rooms that a connection may attach to',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    await ann.ok('room.join', { room: 'general' });
    const { details } = await ann.expectError('dm.open', { user: idOf(bob) }, 'limit_reached');
    const { directs } = await bob.ok('dm.list', {});

    assert.deepEqual(details, { limit: 'roomsPerConnection', value: 1 });
    assert.deepEqual(directs, [], 'no room was created');
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '1' } },
);
