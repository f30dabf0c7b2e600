import assert from 'node:assert/strict';

import type { BotHello } from '#src/protocol/bots.js';

import type { TestClient } from '../support/client.js';
import { next, withBot } from './far-bot.js';
import { say } from './meeting.js';
import { verifies } from './suite.js';

const set = (bot: TestClient, room: string, key: string, alarm?: unknown) =>
  bot.ok('bot.store', { changes: [{ owner: { alarms: room }, key, value: alarm }] });

const due = (bot: TestClient, key: string) => bot.event('alarm.due', (alarm) => alarm.key === key);

verifies(
  'P-13.13',
  'calls a bot when the time has come, until it has dealt with that',
  async (scene) => {
    const { room, connect } = await withBot(scene);
    const bot = await connect();
    const at = Date.now() + 50;
    await set(bot, room, 'later', { at: at + 3_600_000 });
    await set(bot, room, 'tea', { at, value: { kind: 'green' } });
    await set(bot, room, 'bare', { at: 0 });
    const bare = await due(bot, 'bare');
    const tea = await due(bot, 'tea');
    assert(Date.now() >= at, 'not before');
    await set(bot, room, 'bare');
    const { entries } = await bot.ok('bot.load', { owner: { alarms: room } });
    await bot.close();
    const again = await connect();
    const repeated = await due(again, 'tea');
    await set(again, room, 'tea', { at: at + 1 });
    const replaced = await due(again, 'tea');

    assert.deepEqual(bare, { room, key: 'bare', at: 0 });
    assert.deepEqual(tea, { room, key: 'tea', at, value: { kind: 'green' } });
    assert.deepEqual(
      entries.map(({ key }) => key),
      ['later', 'tea'],
    );
    assert.deepEqual(repeated, tea);
    assert.deepEqual(replaced, { room, key: 'tea', at: at + 1 });
    const rung = [...bot.events('alarm.due'), ...again.events('alarm.due')];
    assert(rung.every(({ data }) => data['key'] !== 'later'));
  },
  { settings: {} },
);

verifies(
  ['P-13.13', 'P-13.10'],
  'keeps an alarm for the connection that is given the room next',
  async (scene) => {
    const { token, room, ann, connect } = await withBot(scene);
    const shared: BotHello = { mode: 'shared' };
    const bots = [await connect(shared), await connect(shared)] as const;
    const given = bots.map(async (bot, index) => (await next(bot), index));
    await say(ann, room, 'whose room is it?');
    const [holder, other] = (await Promise.race(given)) === 0 ? bots : bots.toReversed();
    assert(holder !== undefined && other !== undefined);
    await set(other, room, 'tea', { at: 0 });
    await due(holder, 'tea');
    assert.deepEqual(other.events('alarm.due'), []);
    await holder.close();
    await due(other, 'tea');
    await Promise.all(given);

    await scene.server?.stop();
    const running = await scene.start(scene.server?.env ?? {});
    const again = await running.connect();
    await again.ok('hello', { protocol: 1, token });
    await due(again, 'tea');
    const owner = await running.connect();
    await owner.ok('hello', { protocol: 1, token: ann.welcome.token });
    await owner.ok('bot.remove', { room, bot: 'far' });
    await owner.ok('bot.add', { room, bot: 'far' });
    await due(again, 'tea');
  },
  { settings: {} },
);

verifies(
  ['P-13.13', 'P-13.12'],
  'refuses what is no alarm',
  async (scene) => {
    const { room, connect } = await withBot(scene);
    const bot = await connect();
    const refused = (key: string, value: unknown) =>
      bot.refused('bot.store', { changes: [{ owner: { alarms: room }, key, value }] }, 'invalid');

    await refused('x'.repeat(33), { at: 1 });
    for (const value of [1, null, {}, { at: '1' }, { at: 1.5 }, { at: -1 }, { at: 1, in: 2 }]) {
      await refused('tea', value);
    }
    await set(bot, room, 'x'.repeat(32), { at: 1, value: null });
    assert.deepEqual(await due(bot, 'x'.repeat(32)), {
      ...{ room, key: 'x'.repeat(32), at: 1, value: null },
    });
  },
  { settings: {} },
);
