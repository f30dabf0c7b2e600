import assert from 'node:assert/strict';

import type { CommandInput } from '#src/protocol/commands.js';

import type { TestClient } from '../support/client.js';
import { meet, say, sendMany } from './meeting.js';
import { range, readCut, readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

type Bounds = Omit<CommandInput<'message.history'>, 'room'>;

/** Returns the texts of a page of messages, and whether there are more. */
async function pageOf(
  client: TestClient,
  room: string,
  bounds: Bounds,
): Promise<{ texts: string; hasMore: boolean }> {
  const { messages, hasMore } = await client.ok('message.history', { room, ...bounds });
  return { texts: messages.map(({ text }) => text).join(' '), hasMore };
}

verifiesCore('P-6.10', 'reports whether a message was stored', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const before = await say(ann, room, 'hi', { cid: 'c-1' });

  const stored = await ann.ok('message.status', { room, cid: 'c-1' });
  const unknown = await ann.ok('message.status', { room, cid: 'c-2' });
  const ofAnother = await bob.ok('message.status', { room, cid: 'c-1' });
  const { message } = await ann.ok('message.edit', { room, message: before.id, text: 'hello' });
  const edited = await ann.ok('message.status', { room, cid: 'c-1' });

  assert.deepEqual(stored, { found: true, message: before });
  assert.deepEqual(
    { unknown, ofAnother },
    { unknown: { found: false }, ofAnother: { found: false } },
  );
  assert.deepEqual(edited, { found: true, message });
});

verifiesCore('P-6.11', 'returns the messages of a room in pages', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  // The texts 1 to 9 are at the positions 3 to 11.
  await sendMany(ann, room, 9);

  for (const [bounds, texts, hasMore] of [
    [{}, '1 2 3 4 5 6 7 8 9', false],
    [{ limit: 9 }, '1 2 3 4 5 6 7 8 9', false],
    [{ limit: 4 }, '6 7 8 9', true],
    [{ before: 8, limit: 3 }, '3 4 5', true],
    [{ before: 6, limit: 3 }, '1 2 3', false],
    [{ before: 3 }, '', false],
    [{ before: 0 }, '', false],
    [{ before: 100, limit: 2 }, '8 9', true],
    [{ after: 8, limit: 2 }, '7 8', true],
    [{ after: 9, limit: 2 }, '8 9', false],
    [{ after: 11 }, '', false],
    [{ after: 0, limit: 1 }, '1', true],
  ] as const) {
    assert.deepEqual(await pageOf(ann, room, bounds), { texts, hasMore }, JSON.stringify(bounds));
  }
});

verifiesCore('P-6.11', 'returns the messages around a position', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await sendMany(ann, room, 9);

  for (const [bounds, texts, hasMore] of [
    [{ around: 7, limit: 4 }, '3 4 5 6', true],
    [{ around: 7, limit: 5 }, '3 4 5 6 7', true],
    [{ around: 7, limit: 1 }, '5', true],
    [{ around: 3, limit: 4 }, '1 2', true],
    [{ around: 11, limit: 4 }, '7 8 9', true],
    [{ around: 7, limit: 100 }, '1 2 3 4 5 6 7 8 9', false],
    [{ around: 0, limit: 100 }, '1 2 3 4 5 6 7 8 9', false],
    [{ around: 100, limit: 4 }, '8 9', true],
    [{ around: 11, limit: 1 }, '9', true],
  ] as const) {
    assert.deepEqual(await pageOf(ann, room, bounds), { texts, hasMore }, JSON.stringify(bounds));
  }
});

verifiesCore('P-6.11', 'accepts positions at which there is no message', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id: message } = await say(ann, room, '1');
  await ann.ok('message.react', { room, message, emoji: '👍' });
  await ann.ok('room.update', { room, title: 'Another' });
  await say(ann, room, '2');

  for (const [bounds, texts, hasMore] of [
    [{ before: 5 }, '1', false],
    [{ after: 4 }, '2', false],
    [{ around: 5, limit: 2 }, '1 2', false],
    [{ around: 5, limit: 1 }, '2', true],
  ] as const) {
    assert.deepEqual(await pageOf(ann, room, bounds), { texts, hasMore }, JSON.stringify(bounds));
  }
});

verifiesCore(['P-6.11', 'P-6.8'], 'returns messages in their current state', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const edited = await say(ann, room, 'first draft');
  const gone = await say(ann, room, 'gone');
  const last = await say(bob, room, 'last');

  const { message: asEdited } = await ann.ok('message.edit', {
    room,
    message: edited.id,
    text: 'second draft',
  });
  const { message: tombstone } = await ann.ok('message.delete', { room, message: gone.id });
  const { message: reacted } = await ann.ok('message.react', {
    room,
    message: last.id,
    emoji: '👍',
  });
  const page = await bob.ok('message.history', { room });
  const { epoch, seq } = await readCut(bob, room);

  const messages = [asEdited, tombstone, reacted];
  assert.deepEqual(page, { room, epoch, seq, messages, hasMore: false });
  for (const bounds of [{ before: 7 }, { after: 3 }, { around: 5 }]) {
    const other = await bob.ok('message.history', { room, ...bounds });
    assert.deepEqual(other, page, JSON.stringify(bounds));
  }
});

verifiesCore('P-6.11', 'returns every message once with any page size', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  await sendMany(ann, room, 130);

  for (const limit of [1, 7, 100]) {
    const backwards = await readHistory(bob, room, limit);
    assert.deepEqual(
      backwards.map(({ text }) => Number(text)),
      range(1, 130),
    );
  }
  const forwards: string[] = [];
  for (let after = 0, more = true; more;) {
    const page = await bob.ok('message.history', { room, after, limit: 33 });
    forwards.push(...page.messages.map(({ text }) => text));
    after = page.messages.at(-1)?.seq ?? after;
    more = page.hasMore;
  }
  assert.deepEqual(forwards.map(Number), range(1, 130));
});

verifiesCore(['P-6.11', 'P-4.2'], 'refuses invalid bounds', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;

  for (const bounds of [
    { before: 1, after: 1 },
    { before: 1, around: 1 },
    { after: 0, around: 0 },
    { limit: 0 },
    { limit: -1 },
    { limit: 1.5 },
    { before: -1 },
    { before: '1' },
  ]) {
    await ann.expectError('message.history', { room, ...bounds }, 'invalid');
  }
});
