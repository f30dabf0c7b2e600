import assert from 'node:assert/strict';

import { meet, say } from './meeting.js';
import { readCut, readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

verifiesCore('P-6.9', 'adds and removes reactions', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id: message, seq } = await say(ann, room, 'hi');
  const [annId, bobId] = [ann.welcome.user.id, bob.welcome.user.id];

  await bob.ok('message.react', { room, message, emoji: '👍' });
  await ann.ok('message.react', { room, message, emoji: '🎉' });
  const both = await ann.ok('message.react', { room, message, emoji: ' 👍 ' });
  const added = await bob.event('reaction.added', ({ user }) => user === annId);
  const less = await bob.ok('message.unreact', { room, message, emoji: '👍' });
  const removed = await ann.event('reaction.removed');
  const none = await ann.ok('message.unreact', { room, message, emoji: '👍' });

  assert.equal(both.changed, true);
  assert.deepEqual(both.message.reactions, [
    { emoji: '🎉', users: [annId] },
    { emoji: '👍', users: [bobId, annId] },
  ]);
  const party = { emoji: '🎉', users: [annId] };
  assert.deepEqual(added, { room, seq: seq + 2, at: added.at, message, emoji: '🎉', user: annId });
  assert.deepEqual(less.message.reactions, [party, { emoji: '👍', users: [annId] }]);
  assert.deepEqual(removed, {
    room,
    seq: seq + 4,
    at: removed.at,
    message,
    emoji: '👍',
    user: bobId,
  });
  assert.deepEqual(none.message.reactions, [party]);
  assert.deepEqual((await readHistory(bob, room))[0], none.message);
  assert.deepEqual((await readCut(bob, room)).messages[0], none.message);
});

verifiesCore(
  'P-6.9',
  'orders reactions the same way in replies, history and cuts',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
    const [ann, bob, cem] = clients;
    const [annId, bobId, cemId] = clients.map(({ welcome }) => welcome.user.id);
    const { id: message } = await say(ann, room, 'hi');
    const [like, love, wide] = ['👍', '❤️', 'Ａ'].map((emoji) => ({ room, message, emoji }));
    assert(like !== undefined && love !== undefined && wide !== undefined);
    const steps = [
      [ann, 'message.react', like, [['👍', annId]]],
      [
        bob,
        'message.react',
        love,
        [
          ['❤️', bobId],
          ['👍', annId],
        ],
      ],
      [
        cem,
        'message.react',
        like,
        [
          ['❤️', bobId],
          ['👍', annId, cemId],
        ],
      ],
      [
        ann,
        'message.unreact',
        like,
        [
          ['❤️', bobId],
          ['👍', cemId],
        ],
      ],
      [
        ann,
        'message.react',
        wide,
        [
          ['❤️', bobId],
          ['Ａ', annId],
          ['👍', cemId],
        ],
      ],
      [
        bob,
        'message.unreact',
        love,
        [
          ['Ａ', annId],
          ['👍', cemId],
        ],
      ],
      [
        ann,
        'message.react',
        like,
        [
          ['Ａ', annId],
          ['👍', cemId, annId],
        ],
      ],
      [
        bob,
        'message.react',
        love,
        [
          ['❤️', bobId],
          ['Ａ', annId],
          ['👍', cemId, annId],
        ],
      ],
    ] as const;

    for (const [client, cmd, data, expected] of steps) {
      const reply = await client.ok(cmd, data);
      const [stored] = await readHistory(bob, room);
      const [inMemory] = (await readCut(bob, room)).messages;
      for (const one of [reply.message, stored, inMemory]) {
        const order = one?.reactions.map(({ emoji, users }) => [emoji, ...users]);
        assert.deepEqual(order, expected);
      }
    }
  },
);

verifiesCore('P-6.9', 'adds each reaction once', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id: message } = await say(ann, room, 'hi');
  const set = await ann.ok('message.react', { room, message, emoji: 'caf\u00e9' });

  const twice = await ann.ok('message.react', { room, message, emoji: 'cafe\u0301' });
  const other = await ann.ok('message.unreact', { room, message, emoji: '👍' });

  assert.deepEqual(twice, { message: set.message, changed: false });
  assert.deepEqual(other, { message: set.message, changed: false });
  assert.equal((await readCut(ann, room)).seq, 4, 'no event was written');
});

verifiesCore('P-6.9', 'accepts emoji and short codes', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id: message } = await say(ann, room, 'hi');
  const good = ['👍🏽', '👩‍👩‍👧', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '1️⃣', '❤️', ':shortcode:', 'x', '👍'.repeat(32)];
  const bad = ['', ' ', 'a b', 'a\tb', 'a\u0007', 'a'.repeat(33), '👍'.repeat(33), '\u200d'];
  const unseen = ['\ufe0f', '\u0301', '\u2800'];

  for (const emoji of good) {
    const { changed } = await ann.ok('message.react', { room, message, emoji });
    assert.equal(changed, true, emoji);
  }
  for (const emoji of [...bad, ...unseen]) {
    await ann.expectError('message.react', { room, message, emoji }, 'invalid');
    await ann.expectError('message.unreact', { room, message, emoji }, 'invalid');
  }
  const [stored] = await readHistory(ann, room);
  const inOrder = good.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(
    stored?.reactions.map(({ emoji }) => emoji),
    inOrder,
    'ordered by code points, as in UTF-8',
  );
});

verifiesCore(['P-6.9', 'P-4.2'], 'refuses reactions to a tombstone', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id: message } = await say(ann, room, 'hi');
  await ann.ok('message.react', { room, message, emoji: '👍' });
  await ann.ok('message.delete', { room, message });

  await ann.expectError('message.react', { room, message, emoji: '👍' }, 'message_deleted');
  await ann.expectError('message.unreact', { room, message, emoji: '👍' }, 'message_deleted');
});

verifiesCore(
  ['P-6.12', 'P-4.2'],
  'accepts commands on messages only from members, and only in the room of the message',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const other = scene.room();
    await ann.ok('room.create', { room: other });
    const { id } = await say(ann, room, 'hi');
    const { id: elsewhere } = await say(ann, other, 'elsewhere');
    const bob = await scene.join('bob');
    const onMessage = [
      ['message.edit', { text: 'hi' }],
      ['message.delete', {}],
      ['message.react', { emoji: '👍' }],
      ['message.unreact', { emoji: '👍' }],
    ] as const;
    const inRoom = [
      ['message.send', { text: 'hi' }],
      ['message.history', {}],
      ['message.status', { cid: 'c-1' }],
      ...onMessage.map(([cmd, data]) => [cmd, { ...data, message: id }] as const),
    ] as const;

    for (const [cmd, data] of inRoom) {
      await ann.expectError(cmd, { room: scene.room(), ...data }, 'not_found');
      await bob.expectError(cmd, { room, ...data }, 'not_member');
    }
    for (const [cmd, data] of onMessage) {
      await ann.expectError(cmd, { room, ...data, message: elsewhere }, 'not_found');
      await ann.expectError(cmd, { room, ...data, message: 'no-message' }, 'not_found');
    }
  },
);
