import assert from 'node:assert/strict';

import type { Message } from '#src/protocol/models.js';

import { connectAgain, meet, say, sendMany } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifiesCore } from './suite.js';

verifiesCore('P-6.7', 'lets a user replace the text of an own message', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const before = await say(ann, room, 'first draft', { cid: 'c-1' });

  const { message } = await ann.ok('message.edit', {
    room,
    message: before.id,
    text: ' second draft ',
  });
  const event = await bob.event('message.edited');

  const { editedAt } = message;
  assert(editedAt !== undefined && editedAt >= before.at, 'editedAt is the time of the edit');
  assert.deepEqual(message, { ...before, text: ' second draft ', editedAt });
  assert.deepEqual(event, { room, seq: before.seq + 1, at: editedAt, message });
  assert.deepEqual(await readHistory(bob, room), [message]);
  assert.deepEqual((await readCut(bob, room)).messages, [message]);
});

verifiesCore('P-6.7', 'writes no event when the text does not change', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const message = await say(ann, room, 'hi');

  const reply = await ann.ok('message.edit', { room, message: message.id, text: 'hi' });

  assert.deepEqual(reply, { message });
  assert.equal((await readCut(ann, room)).seq, message.seq);
});

verifiesCore(['P-6.7', 'P-4.2'], 'refuses invalid edits', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id: ofBob } = await say(bob, room, 'hi');
  const { id: gone } = await say(bob, room, 'gone');
  await bob.ok('message.delete', { room, message: gone });

  const text = 'other';
  await ann.expectError('message.edit', { room, message: ofBob, text }, 'forbidden');
  await bob.expectError('message.edit', { room, message: gone, text }, 'message_deleted');
  await bob.expectError('message.edit', { room, message: ofBob, text: ' \n' }, 'invalid');
  await bob.expectError('message.edit', { room, message: ofBob }, 'invalid');
  assert.equal((await readHistory(bob, room))[0]?.text, 'hi');
});

verifiesCore('P-6.8', 'shows a tombstone wherever the message was shown', async (scene) => {
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
    text: '',
    editedAt,
    deletedAt,
    deletedBy: user.id,
    reactions: [],
  };
  assert.deepEqual(message, tombstone);
  assert.deepEqual(event, { room, seq: before.seq + 3, at: deletedAt, message: tombstone });
  const resumed = await connectAgain(scene, bob, { resume: { [room]: from } });
  await resumed.event('message.deleted');
  const replayed = [...(await readLog(ann, room, from)), ...resumed.logged(room)];
  const carried = replayed.filter(({ event: name }) => name.startsWith('message.'));
  assert.equal(carried.length, 6, 'created, edited and deleted, by sync and by resume');
  for (const { data } of carried) assert.deepEqual((data as { message: unknown }).message, message);
  assert.deepEqual(await readHistory(bob, room), [message]);
  assert.deepEqual((await readCut(bob, room)).messages, [message]);
  assert.deepEqual((await ann.ok('message.status', { room, cid: 'c-1' })).message, message);
});

verifiesCore(
  'P-6.8',
  'serves a tombstone that is no longer among the latest messages',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const from = await readCut(ann, room);
    const { id } = await say(ann, room, 'gone');
    await sendMany(ann, room, 300);

    const { message } = await ann.ok('message.delete', { room, message: id });
    const [created] = await readLog(ann, room, from);
    const [first] = await readHistory(ann, room);

    assert.deepEqual(created?.data, { room, seq: 3, at: message.at, message });
    assert.deepEqual(first, message);
  },
);

verifiesCore('P-6.8', 'changes nothing when a message is deleted again', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id } = await say(bob, room, 'gone');
  const first = await bob.ok('message.delete', { room, message: id });

  const second = await ann.ok('message.delete', { room, message: id });

  assert.deepEqual(second, first);
  assert.equal(second.message.deletedBy, bob.welcome.user.id);
  assert.equal((await readCut(ann, room)).seq, 5);
});

verifiesCore(
  ['P-6.8', 'P-4.2'],
  'lets the owner delete any message, and others only their own',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
    const [ann, bob, cem] = clients;
    const { id: ofAnn } = await say(ann, room, 'of ann');
    const { id: ofBob } = await say(bob, room, 'of bob');

    await bob.expectError('message.delete', { room, message: ofAnn }, 'forbidden');
    await cem.expectError('message.delete', { room, message: ofBob }, 'forbidden');
    const { message } = await ann.ok('message.delete', { room, message: ofBob });

    assert.equal(message.deletedBy, ann.welcome.user.id);
    assert.equal(message.sender.id, bob.welcome.user.id);
  },
);
