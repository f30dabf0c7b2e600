import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { meet, say } from './meeting.js';
import { readHistory } from './reading.js';
import { ALL_SCOPES, nextMessage, registerRemoteBot } from './remote-bot.js';
import { verifiesCore, type Scene } from './suite.js';

const NAMES = ['north', 'east', 'west'];

/** Creates a room of ann with three remote bots that accept messages from bots. */
async function createRoomWithThreeBots(scene: Scene) {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const bots: TestClient[] = [];
  for (const name of NAMES) {
    const token = await registerRemoteBot(scene, name);
    await ann.ok('bot.add', { room, bot: name, scopes: [...ALL_SCOPES] });
    bots.push(await scene.join(name, { token, bot: { fromBots: true } }));
  }
  return { room, ann, bots };
}

/** Makes a bot answer messages without a cause until a text; returns the number of answers. */
async function answerUntil(bot: TestClient, room: string, end: string): Promise<number> {
  for (let count = 0; ; count++) {
    const { message, seq } = await nextMessage(bot);
    if (message.text === end) return count;
    await bot.ok('bot.ack', { room, seq });
    await bot.ok('message.send', { room, text: `${bot.welcome.user.name}: ${message.text}` });
  }
}

verifiesCore(
  'P-13.7',
  'ends a loop of bots that name no cause',
  async (scene) => {
    const { room, ann, bots } = await createRoomWithThreeBots(scene);
    await say(ann, room, 'start');
    const counts: number[] = [];
    while (counts.at(-1) !== 0) {
      const end = `end ${String(counts.length)}`;
      await say(ann, room, end);
      const answers = await Promise.all(bots.map((bot) => answerUntil(bot, room, end)));
      counts.push(answers.reduce((sum, count) => sum + count, 0));
    }
    const hops = (await readHistory(ann, room)).flatMap((message) => message.hops ?? []);

    assert.equal(Math.max(...hops), 4);
    assert.equal(counts[0], 3, 'each bot answers the first message');
  },
  { settings: { PARLANCE_LIMIT_HISTORY_PAGE: '100' } },
);

verifiesCore(
  'P-13.7',
  'continues from the highest hop count that a bot received when it names no cause',
  async (scene) => {
    const { room, ann, bots } = await createRoomWithThreeBots(scene);
    const [north, east] = bots as [TestClient, TestClient];
    const asked = await say(ann, room, 'hello');
    const send = async (bot: TestClient, data: { cause?: string } = {}) =>
      (await bot.ok('message.send', { room, text: 'hi', ...data })).message;
    const first = await send(north, { cause: asked.id });
    await nextMessage(east);
    await nextMessage(east);
    const second = await send(east);
    const named = await send(east, { cause: asked.id });
    const elsewhere = scene.room();
    await ann.ok('room.create', { room: elsewhere });
    await ann.ok('bot.add', { room: elsewhere, bot: 'east' });
    const other = (await east.ok('message.send', { room: elsewhere, text: 'hi' })).message;

    const hops = [first, second, named, other].map((message) => message.hops);
    assert.deepEqual(hops, [1, 2, 1, 1]);
  },
  { settings: {} },
);
