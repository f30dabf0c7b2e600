import { BotAlarmClock } from '#src/bots/bot-alarm-clock.js';
import { BotStates } from '#src/bots/bot-states.service.js';
import { BotReporter } from '#src/bots/runtime/bot-reporter.js';
import { BotClock } from '#src/bots/runtime/bot-clock.js';
import { CollectingBotReporter } from '#src/harness/collecting-bot-reporter.js';
import { FakeBotClock } from '#src/harness/index.js';

import { register } from '../conformance/far-bot.js';
import type { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { greet } from '../support/wire-transports.js';

const ROOM = 'kitchen';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('alarms of a bot from afar', () => {
  let server: TestServer;
  let clock: FakeBotClock;
  let reporter: CollectingBotReporter;
  let ann: TestClient;
  let bot: TestClient;
  let token: string;

  const start = (env: Readonly<Record<string, string>> = {}) =>
    startServer(env, {
      providers: [
        { provide: BotClock, useValue: clock },
        { provide: BotReporter, useValue: reporter },
      ],
    });

  beforeEach(async () => {
    clock = new FakeBotClock(Date.UTC(2030, 0, 1, 12));
    reporter = new CollectingBotReporter();
    server = await start();
    token = await register({ server });
    ann = await greet('websocket', server.port, { name: 'ann' });
    await ann.ok('room.join', { room: ROOM, create: true });
    await ann.ok('bot.add', { room: ROOM, bot: 'far' });
    bot = await connect();
  });

  afterEach(async () => {
    await server.dispose();
    expect(reporter.reports).toEqual([]);
  });

  const store = (key: string, value?: unknown) =>
    bot.ok('bot.store', { changes: [{ owner: { alarms: ROOM }, key, value }] });
  const rung = (from: TestClient, key: string) =>
    from.events('alarm.due').filter(({ data }) => data['key'] === key).length;
  const isDue = (key: string) => bot.event('alarm.due', (alarm) => alarm.key === key);

  /** Connects; what is overdue has rung when that is done. */
  async function connect(): Promise<TestClient> {
    const client = await greet('websocket', server.port, { token });
    await client.ok('bot.store', {
      changes: [{ owner: { alarms: ROOM }, key: 'now', value: { at: 0 } }],
    });
    await clock.advance(0);
    await client.event('alarm.due', ({ key }) => key === 'now');
    await client.ok('bot.store', { changes: [{ owner: { alarms: ROOM }, key: 'now' }] });
    return client;
  }

  test('ring when the time has come, however far away it is', async () => {
    await store('tea', { at: clock.now() + 60 * DAY });
    await clock.advance(60 * DAY - 1);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(rung(bot, 'tea')).toBe(0);
    await clock.advance(1);
    await isDue('tea');
  });

  test('ring five times, a minute apart, if the bot does nothing about it', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    for (let times = 1; times <= 5; times++) {
      await isDue('tea');
      expect(rung(bot, 'tea')).toBe(times);
      await clock.advance(MINUTE);
    }
    await clock.advance(DAY);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(rung(bot, 'tea')).toBe(5);
  });

  test('ring after the server was started anew', async () => {
    await store('tea', { at: clock.now() + MINUTE });
    await server.stop();
    server = await start(server.env);
    bot = await connect();
    await clock.advance(MINUTE);
    await isDue('tea');
    expect(rung(bot, 'tea')).toBe(1);
  });

  test('do not ring again once they are removed', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    await isDue('tea');
    await store('tea');
    await clock.advance(MINUTE);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(rung(bot, 'tea')).toBe(1);
  });

  test('ring at the time that they were set to while the overdue ones were read', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    await isDue('tea');
    const botId = bot.welcome.user.id;
    const value = { at: clock.now() + DAY, value: 'green' };
    const changes = [{ owner: { alarms: ROOM }, key: 'tea', value }];
    const alarms = server.app.get(BotAlarmClock);
    const ringing = alarms.ringOverdue(botId, ROOM);
    alarms.changed(botId, changes);
    await ringing;
    await server.app.get(BotStates).write(botId, changes);
    await clock.advance(DAY);
    expect(await isDue('tea')).toMatchObject({ key: 'tea', ...value });
  });

  test('are removed when they are due in a room that the bot has left', async () => {
    await store('tea', { at: clock.now() + MINUTE });
    await store('later', { at: clock.now() + DAY });
    await ann.ok('bot.remove', { room: ROOM, bot: 'far' });
    await clock.advance(MINUTE);
    await ann.ok('bot.add', { room: ROOM, bot: 'far' });
    const { entries } = await bot.ok('bot.load', { owner: { alarms: ROOM } });
    expect(entries.map(({ key }) => key)).toEqual(['later']);
    expect(rung(bot, 'tea')).toBe(0);
  });
});
