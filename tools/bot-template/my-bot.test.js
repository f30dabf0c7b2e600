import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { createBotHarness } from 'parlance/testing';

import { MyBot } from './my-bot.bot.js';

let harness;
let room;
let ann;

beforeEach(async () => {
  harness = await createBotHarness({ bots: [MyBot] });
  room = harness.room('general');
  ann = await room.user('ann');
});

afterEach(() => harness.close());

test('passes the default checks', () => harness.defaultChecks());

test('greets', async () => {
  await ann.says('/my-bot bob');
  await harness.settled();
  assert.deepEqual(room.transcript(), ['ann: /my-bot bob', 'my-bot: Hello, bob!']);
  assert.deepEqual(harness.reports, []);
});

test('reacts to thanks', async () => {
  const message = await ann.says('@my-bot thanks');
  await harness.settled();
  const [{ reactions }] = room.messages().filter(({ id }) => id === message.id);
  assert.equal(reactions[0].emoji, '👍');
});
