import assert from 'node:assert/strict';

import type { Message } from '#src/protocol/models.js';

import { again, chatter, meet, say } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifies } from './suite.js';

verifies('P-6.7', "replaces the text of one's own message", async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const before = await say(ann, room, 'first draft', { cid: 'c-1' });

  const { message } = await ann.ok('message.edit', {
    ...{ room, message: before.id, text: ' second draft ' },
  });
  const event = await bob.event('message.edited');

  const { editedAt } = message;
  assert(editedAt !== undefined && editedAt >= before.at, 'editedAt is the time of the edit');
  assert.deepEqual(message, { ...before, text: ' second draft ', editedAt });
  assert.deepEqual(event, { room, seq: before.seq + 1, at: editedAt, message });
  assert.deepEqual(await readHistory(bob, room), [message]);
  assert.deepEqual((await readCut(bob, room)).messages, [message]);
});

verifies('P-6.7', 'writes no event for the text that a message has', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const message = await say(ann, room, 'hi');

  const reply = await ann.ok('message.edit', { room, message: message.id, text: 'hi' });

  assert.deepEqual(reply, { message });
  assert.equal((await readCut(ann, room)).seq, message.seq);
});

verifies(['P-6.7', 'P-4.2'], 'refuses what is no edit', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id: ofBob } = await say(bob, room, 'hi');
  const { id: gone } = await say(bob, room, 'gone');
  await bob.ok('message.delete', { room, message: gone });

  const text = 'other';
  await ann.refused('message.edit', { room, message: ofBob, text }, 'forbidden');
  await bob.refused('message.edit', { room, message: gone, text }, 'message_deleted');
  await bob.refused('message.edit', { room, message: ofBob, text: ' \n' }, 'invalid');
  await bob.refused('message.edit', { room, message: ofBob }, 'invalid');
  assert.equal((await readHistory(bob, room))[0]?.text, 'hi');
});

verifies('P-6.8', 'leaves a tombstone everywhere', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch, seq: after } = await readCut(bob, room);
  const from = { epoch, seq: after };
  const before = await say(ann, room, 'gone', { cid: 'c-1' });
  await bob.ok('message.react', { room, message: before.id, emoji: '👍' });
  await ann.ok('message.edit', { room, message: before.id, text: 'gone too' });

  const { message } = await ann.ok('message.delete', { room, message: before.id });
  const event = await bob.event('message.deleted');

  const { deletedAt, editedAt } = message;
  const { user } = ann.welcome;
  assert(deletedAt !== undefined && editedAt !== undefined, 'both times are kept');
  const tombstone: Message = {
    ...before,
    ...{ text: '', editedAt, deletedAt, deletedBy: user.id, reactions: [] },
  };
  assert.deepEqual(message, tombstone);
  assert.deepEqual(event, { room, seq: before.seq + 3, at: deletedAt, message: tombstone });
  const resumed = await again(scene, bob, { resume: { [room]: from } });
  await resumed.event('message.deleted');
  const replayed = [...(await readLog(ann, room, from)), ...resumed.logged(room)];
  const carried = replayed.filter(({ event: name }) => name.startsWith('message.'));
  assert.equal(carried.length, 6, 'created, edited and deleted, by sync and by resume');
  for (const { data } of carried) assert.deepEqual((data as { message: unknown }).message, message);
  assert.deepEqual(await readHistory(bob, room), [message]);
  assert.deepEqual((await readCut(bob, room)).messages, [message]);
  assert.deepEqual((await ann.ok('message.status', { room, cid: 'c-1' })).message, message);
});

verifies('P-6.8', 'keeps a tombstone that the room has long gone past', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const from = await readCut(ann, room);
  const { id } = await say(ann, room, 'gone');
  await chatter(ann, room, 300);

  const { message } = await ann.ok('message.delete', { room, message: id });
  const [created] = await readLog(ann, room, from);
  const [first] = await readHistory(ann, room);

  assert.deepEqual(created?.data, { room, seq: 3, at: message.at, message });
  assert.deepEqual(first, message);
});

verifies('P-6.8', 'changes nothing when it deletes again', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id } = await say(bob, room, 'gone');
  const first = await bob.ok('message.delete', { room, message: id });

  const second = await ann.ok('message.delete', { room, message: id });

  assert.deepEqual(second, first);
  assert.equal(second.message.deletedBy, bob.welcome.user.id);
  assert.equal((await readCut(ann, room)).seq, 5);
});

verifies(
  ['P-6.8', 'P-4.2'],
  'lets the owner delete any message, others their own',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
    const [ann, bob, cem] = clients;
    const { id: ofAnn } = await say(ann, room, 'of ann');
    const { id: ofBob } = await say(bob, room, 'of bob');

    await bob.refused('message.delete', { room, message: ofAnn }, 'forbidden');
    await cem.refused('message.delete', { room, message: ofBob }, 'forbidden');
    const { message } = await ann.ok('message.delete', { room, message: ofBob });

    assert.equal(message.deletedBy, ann.welcome.user.id);
    assert.equal(message.sender.id, bob.welcome.user.id);
  },
);

verifies('P-6.9', 'sets and takes back reactions', async (scene) => {
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
    ...{ room, seq: seq + 4, at: removed.at, message, emoji: '👍', user: bobId },
  });
  assert.deepEqual(none.message.reactions, [party]);
  assert.deepEqual((await readHistory(bob, room))[0], none.message);
  assert.deepEqual((await readCut(bob, room)).messages[0], none.message);
});

verifies('P-6.9', 'orders reactions alike wherever they are told', async (scene) => {
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
    const told = await client.ok(cmd, data);
    const [stored] = await readHistory(bob, room);
    const [inMemory] = (await readCut(bob, room)).messages;
    for (const one of [told.message, stored, inMemory]) {
      const order = one?.reactions.map(({ emoji, users }) => [emoji, ...users]);
      assert.deepEqual(order, expected);
    }
  }
});

verifies('P-6.9', 'sets each reaction once', async (scene) => {
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

verifies('P-6.9', 'takes emoji and short codes', async (scene) => {
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
    await ann.refused('message.react', { room, message, emoji }, 'invalid');
    await ann.refused('message.unreact', { room, message, emoji }, 'invalid');
  }
  const [stored] = await readHistory(ann, room);
  const inOrder = good.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(
    stored?.reactions.map(({ emoji }) => emoji),
    inOrder,
    'by code points, as UTF-8 has them',
  );
});

verifies(['P-6.9', 'P-4.2'], 'takes no reactions to a tombstone', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id: message } = await say(ann, room, 'hi');
  await ann.ok('message.react', { room, message, emoji: '👍' });
  await ann.ok('message.delete', { room, message });

  await ann.refused('message.react', { room, message, emoji: '👍' }, 'message_deleted');
  await ann.refused('message.unreact', { room, message, emoji: '👍' }, 'message_deleted');
});

verifies(['P-6.12', 'P-4.2'], 'is for members, and for messages of the room', async (scene) => {
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
    await ann.refused(cmd, { room: scene.room(), ...data }, 'not_found');
    await bob.refused(cmd, { room, ...data }, 'not_member');
  }
  for (const [cmd, data] of onMessage) {
    await ann.refused(cmd, { room, ...data, message: elsewhere }, 'not_found');
    await ann.refused(cmd, { room, ...data, message: 'no-message' }, 'not_found');
  }
});
