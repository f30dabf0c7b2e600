import assert from 'node:assert/strict';

import type { BotHello } from '#src/protocol/bots.js';

import type { TestClient } from '../support/client.js';
import { say } from './meeting.js';
import { createRoomWithBot, nextMessage } from './remote-bot.js';
import { verifiesCore } from './suite.js';

const storeAlarm = (bot: TestClient, room: string, key: string, alarm?: unknown) =>
  bot.ok('bot.store', { changes: [{ owner: { alarms: room }, key, value: alarm }] });

const nextAlarm = (bot: TestClient, key: string) =>
  bot.event('alarm.due', (alarm) => alarm.key === key);

verifiesCore(
  'P-13.13',
  'sends a due alarm to a bot until the bot changes or deletes it',
  async (scene) => {
    const { room, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const at = Date.now() + 50;
    await storeAlarm(bot, room, 'later', { at: at + 3_600_000 });
    await storeAlarm(bot, room, 'tea', { at, value: { kind: 'green' } });
    await storeAlarm(bot, room, 'bare', { at: 0 });
    const bare = await nextAlarm(bot, 'bare');
    const tea = await nextAlarm(bot, 'tea');
    assert(Date.now() >= at, 'the alarm is not early');
    await storeAlarm(bot, room, 'bare');
    const { entries } = await bot.ok('bot.load', { owner: { alarms: room } });
    await bot.close();
    const back = await connect();
    const repeated = await nextAlarm(back, 'tea');
    await storeAlarm(back, room, 'tea', { at: at + 1 });
    const replaced = await nextAlarm(back, 'tea');

    assert.deepEqual(bare, { room, key: 'bare', at: 0 });
    assert.deepEqual(tea, { room, key: 'tea', at, value: { kind: 'green' } });
    assert.deepEqual(
      entries.map(({ key }) => key),
      ['later', 'tea'],
    );
    assert.deepEqual(repeated, tea);
    assert.deepEqual(replaced, { room, key: 'tea', at: at + 1 });
    const fired = [...bot.events('alarm.due'), ...back.events('alarm.due')];
    assert(fired.every(({ data }) => data['key'] !== 'later'));
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.13', 'P-13.10'],
  'delivers an alarm to the next connection that gets the room',
  async (scene) => {
    const { token, room, ann, connect } = await createRoomWithBot(scene);
    const shared: BotHello = { mode: 'shared' };
    const bots = [await connect(shared), await connect(shared)] as const;
    const received = bots.map(async (bot, index) => (await nextMessage(bot), index));
    await say(ann, room, 'whose room is it?');
    const [holder, other] = (await Promise.race(received)) === 0 ? bots : bots.toReversed();
    assert(holder !== undefined && other !== undefined);
    await storeAlarm(other, room, 'tea', { at: 0 });
    await nextAlarm(holder, 'tea');
    assert.deepEqual(other.events('alarm.due'), []);
    await holder.close();
    await nextAlarm(other, 'tea');
    await Promise.all(received);

    await scene.server?.stop();
    const running = await scene.start(scene.server?.env ?? {});
    const back = await running.connect();
    await back.ok('hello', { protocol: 1, token });
    await nextAlarm(back, 'tea');
    const owner = await running.connect();
    await owner.ok('hello', { protocol: 1, token: ann.welcome.token });
    await owner.ok('bot.remove', { room, bot: 'remote' });
    await owner.ok('bot.add', { room, bot: 'remote' });
    await nextAlarm(back, 'tea');
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.13', 'P-13.12'],
  'refuses invalid alarms',
  async (scene) => {
    const { room, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const refused = (key: string, value: unknown) =>
      bot.expectError(
        'bot.store',
        { changes: [{ owner: { alarms: room }, key, value }] },
        'invalid',
      );

    await refused('x'.repeat(33), { at: 1 });
    for (const value of [1, null, {}, { at: '1' }, { at: 1.5 }, { at: -1 }, { at: 1, in: 2 }]) {
      await refused('tea', value);
    }
    await storeAlarm(bot, room, 'x'.repeat(32), { at: 1, value: null });
    assert.deepEqual(await nextAlarm(bot, 'x'.repeat(32)), {
      room,
      key: 'x'.repeat(32),
      at: 1,
      value: null,
    });
  },
  { settings: {} },
);
