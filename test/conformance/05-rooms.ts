import assert from 'node:assert/strict';

import { withClockAhead } from '../support/clock.js';
import { connectAgain, meet, say } from './meeting.js';
import { readLog, seqsOf } from './reading.js';
import { verifies } from './suite.js';

/** Names as people type them and the ids that they fold to; `x` stands for a unique part. */
const FOLDED = [
  ['ROOM-x', 'room-x'],
  ['  room_x\t', 'room_x'],
  ['ＦＵＬＬ-x', 'full-x'],
  ['ﬁn-x', 'fin-x'],
  ['Ⅳ-x', 'iv-x'],
  ['E\u0301t\u00c9-x', '\u00e9t\u00e9-x'],
  ['STRASSE-Straße-x', 'strasse-strasse-x'],
  ['ΟΔΟΣ-οδος-x', 'οδοσ-οδοσ-x'],
  ['Комната-x', 'комната-x'],
  ['部屋-x', '部屋-x'],
  ['हिन्दी-x', 'हिन्दी-x'],
  ['غرفة-٣-x', 'غرفة-٣-x'],
  ['\u{10400}-x', '\u{10428}-x'],
] as const;

/** Spellings of the same room name, in upper case, lower case and others. */
const ALIKE = [
  ['STRASSE', 'straße', 'STRAẞE', 'Strasse'],
  ['ΟΔΟΣ', 'οδος', 'οδοσ', 'Οδοσ'],
  ['ΤΗΛΕΦΩΝΩΙ', 'τηλεφωνῳ', 'τηλεφωνωι'],
  ['ΐΐ', 'Ϊ\u0301ΐ', 'ι\u0308\u0301ΐ'],
  ['İX', 'i\u0307x'],
];

const NO_NAMES = [
  ...['', ' ', 'a b', 'a.b', 'a/b', '#a', '@a', '@me2', 'a\u0000b', 'a\u200bb', '😀', 'ﷺ'],
  'a'.repeat(65),
  'ﬁ'.repeat(33),
  ' '.repeat(256) + 'a',
  'ß'.repeat(33),
  ...[
    'general\ufe0f',
    'general\u034f',
    'general\u180b',
    'general\u{e0100}',
    'a\u3164',
    '\u{13441}',
  ],
  ...['\u0301', '\u0301a', '\u0301-\u0301', '\ufe0f', '\u20dd'],
];

const NO_TITLES = [
  '',
  ' \t',
  'a'.repeat(65),
  'a\u0007b',
  'a\nb',
  'a\u202eb',
  ' '.repeat(256) + 'a',
  '\ufe0f',
  '\u2800',
  '\u0301',
];

verifies('P-5.1', 'folds room names of any script to ids', async (scene) => {
  const ann = await scene.join('ann');
  const bob = await scene.join('bob');
  const own = scene.room();

  for (const [form, folded] of FOLDED) {
    const [typed, id] = [form.replace(/x(?=\s*$)/, own), folded.replace(/x$/, own)];
    const cut = await ann.ok('room.create', { room: typed });
    const { info } = await bob.ok('room.get', { room: id });
    const sent = await say(ann, typed, 'hi');
    const event = await ann.event('message.created');

    assert.deepEqual(
      { cut: cut.room, infoInCut: cut.info.id, info: info.id, sent: sent.room, event: event.room },
      { cut: id, infoInCut: id, info: id, sent: id, event: id },
    );
    assert.equal(cut.info.title, typed.trim().normalize('NFC'), 'the title is the name as typed');
  }
});

verifies('P-5.1', 'finds a room by every name that folds to its id', async (scene) => {
  const ann = await scene.join('ann');

  for (const [first = '', ...others] of ALIKE) {
    const own = scene.room();
    const { room: id } = await ann.ok('room.create', { room: `${own}-${first}` });
    for (const name of [id, ...others.map((other) => `${own}-${other}`)]) {
      assert.equal((await ann.ok('room.get', { room: name })).info.id, id, name);
    }
  }
});

verifies('P-5.1', 'accepts a name of 64 code points', async (scene) => {
  const ann = await scene.join('ann');
  const room = scene.room() + '\u{10428}'.repeat(64);
  const longest = [...room].slice(0, 64).join('');

  const cut = await ann.ok('room.create', { room: longest });

  assert.equal(cut.room, longest);
});

verifies(['P-5.1', 'P-4.2'], 'refuses invalid room names', async (scene) => {
  const ann = await scene.join('ann');

  for (const room of NO_NAMES) {
    const { details } = await ann.expectError('room.join', { room, create: true }, 'invalid');
    assert.deepEqual((details?.['issues'] as { path: string }[])[0]?.path, 'room', room);
  }
});

verifies('P-5.1', 'keeps titles as they are written', async (scene) => {
  const ann = await scene.join('ann');
  const titles = [
    ['  The Lobby ', 'The Lobby'],
    ['Cafe\u0301 ﬁn', 'Caf\u00e9 ﬁn'],
    ['👩‍👩‍👧 family', '👩‍👩‍👧 family'],
    ['𐐀'.repeat(64), '𐐀'.repeat(64)],
  ] as const;

  for (const [typed, title] of titles) {
    const cut = await ann.ok('room.create', { room: scene.room(), title: typed });
    assert.equal(cut.info.title, title);
  }
  for (const title of NO_TITLES) {
    await ann.expectError('room.create', { room: scene.room(), title }, 'invalid');
  }
});

verifies('P-5.2', 'creates a room with its creator as the first member', async (scene) => {
  const ann = await scene.join('ann');
  const room = scene.room();

  const cut = await ann.ok('room.create', { room: room.toUpperCase(), title: 'A title' });
  const log = await readLog(ann, room, { epoch: cut.epoch, seq: 0 });

  const { user } = ann.welcome;
  assert.equal(cut.seq, 2);
  assert.deepEqual(cut.you, { user, role: 'owner', joinedAt: cut.you.joinedAt });
  assert.deepEqual(cut.members, [cut.you]);
  assert.deepEqual(
    { memberCount: cut.memberCount, messages: cut.messages, hasMore: cut.hasMore },
    { memberCount: 1, messages: [], hasMore: false },
  );
  const { createdAt } = cut.info;
  assert.deepEqual(cut.info, {
    id: room,
    kind: 'public',
    title: 'A title',
    owner: user.id,
    memberCount: 1,
    createdAt,
  });
  assert.deepEqual(
    log.map(({ event }) => event),
    ['room.created', 'member.joined'],
  );
  assert.deepEqual(seqsOf(log), [1, 2]);
  await say(ann, room, 'hi');
  assert.equal((await ann.event('message.created')).seq, 3, 'the connection is attached');
});

verifies(['P-5.2', 'P-4.2'], 'refuses to create a room that exists', async (scene) => {
  const ann = await scene.join('ann');
  const room = scene.room();
  await ann.ok('room.create', { room });

  await ann.expectError('room.create', { room }, 'room_exists');
  await ann.expectError('room.create', { room: ` ${room.toUpperCase()}` }, 'room_exists');
  await ann.expectError('room.create', { room: 'General' }, 'room_exists');
});

verifies('P-5.2', 'keeps the owner of a room whether present or absent', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;

  await ann.ok('room.leave', { room });
  const { info } = await bob.ok('room.get', { room });
  const back = await ann.ok('room.join', { room });

  assert.equal(info.owner, ann.welcome.user.id);
  assert.equal(info.memberCount, 1);
  assert.equal(back.you.role, 'owner');
});

verifies('P-5.4', 'adds a member and sends member.joined to the others', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const bob = await scene.join('bob');

  const cut = await bob.ok('room.join', { room });
  const event = await ann.event('member.joined');

  const member = { user: bob.welcome.user, role: 'member', joinedAt: cut.you.joinedAt };
  assert.deepEqual(cut.you, member);
  assert.equal(cut.memberCount, 2);
  assert.deepEqual(
    new Set(cut.members.map(({ user }) => user.name)),
    new Set(['ann', 'bob']),
    'the cut lists the members',
  );
  assert.deepEqual(
    { seq: event.seq, memberCount: event.memberCount, member: event.member },
    { seq: cut.seq, memberCount: 2, member },
  );
});

verifies('P-5.4', 'changes nothing when a member joins again', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { message } = await ann.ok('message.send', { room, text: 'hi' });

  const cut = await bob.ok('room.join', { room, create: true, title: 'Other' });
  const other = await (await connectAgain(scene, bob)).ok('room.join', { room });
  await ann.roundTrip();

  assert.equal(cut.seq, message.seq);
  assert.deepEqual(cut.messages, [message]);
  assert.equal(cut.info.title, room);
  assert.deepEqual(
    { seq: other.seq, you: other.you, memberCount: other.memberCount },
    { seq: cut.seq, you: cut.you, memberCount: 2 },
  );
  assert.deepEqual(seqsOf(ann.logged(room)), [3, 4], 'bob joined once, and one message');
});

verifies(['P-5.4', 'P-4.2'], 'creates a room by a join only on request', async (scene) => {
  const ann = await scene.join('ann');
  const room = scene.room();

  await ann.expectError('room.join', { room }, 'not_found');
  await ann.expectError('room.join', { room, create: false }, 'not_found');
  const cut = await ann.ok('room.join', { room, create: true, title: 'Made by a join' });
  const log = await readLog(ann, room, { epoch: cut.epoch, seq: 0 });

  assert.equal(cut.info.title, 'Made by a join');
  assert.equal(cut.you.role, 'owner');
  assert.deepEqual(
    log.map(({ event }) => event),
    ['room.created', 'member.joined'],
  );
});

verifies('P-5.6', 'ends the membership on all connections of a user who leaves', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const bobToo = await connectAgain(scene, bob);
  await bobToo.ok('room.join', { room });

  const left = await bob.ok('room.leave', { room: room.toUpperCase() });
  await say(ann, room, 'are you there?');
  const event = await ann.event('member.left');

  assert.equal(left.room, room);
  const { user } = bob.welcome;
  const expected = { room, seq: left.seq, at: event.at, user, reason: 'left', memberCount: 1 };
  assert.deepEqual(event, expected);
  for (const client of [bob, bobToo]) {
    await client.roundTrip();
    const last = client.logged(room).at(-1);
    assert.deepEqual(last, { event: 'member.left', data: expected }, 'it is the last event');
  }
});

verifies(
  ['P-5.6', 'P-4.2'],
  'refuses commands for members after a user has left',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [, bob] = clients;

    await bob.ok('room.leave', { room });

    await bob.expectError('room.leave', { room }, 'not_member');
    await bob.expectError('room.sync', { room }, 'not_member');
    await bob.expectError('message.send', { room, text: 'hi' }, 'not_member');
    assert.equal((await bob.ok('room.get', { room })).you, null);
    await bob.expectError('room.leave', { room: scene.room() }, 'not_found');
  },
);

verifies(
  'P-5.6',
  'removes a guest who is away for a long time from the room',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    await bob.close();
    // The guest is overdue enough for the next expiry run to remove it, not the one after.
    const left = await withClockAhead(10_000, () => ann.event('member.left'));
    const { info } = await ann.ok('room.get', { room });

    const { reason, user, memberCount } = left;
    assert.deepEqual(
      { reason, user, memberCount },
      {
        reason: 'away',
        user: bob.welcome.user,
        memberCount: 1,
      },
    );
    assert.equal(info.memberCount, 1);
    const back = await connectAgain(scene, bob);
    assert.equal((await back.ok('room.get', { room })).you, null);
  },
  { settings: { PARLANCE_GUEST_AWAY_SECONDS: '1' } },
);
