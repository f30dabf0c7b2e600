import { BotAlarmClock } from '#src/bots/server/state/bot-alarm-clock.js';
import { BotStates } from '#src/bots/server/state/bot-states.js';
import { BotReporter } from '#src/bots/kit/bot-reporter.js';
import { BotClock } from '#src/bots/kit/bot-clock.js';
import { CollectingBotReporter } from '#src/bots/testing/bot-harness.js';
import { FakeBotClock } from '#src/bots/testing/index.js';

import { registerRemoteBot } from '../conformance/remote-bot.js';
import type { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'kitchen';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('alarms of a remote bot', () => {
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
    token = await registerRemoteBot({ server });
    ann = await connectClient('websocket', server.port, { name: 'ann' });
    await ann.ok('room.join', { room: ROOM, create: true });
    await ann.ok('bot.add', { room: ROOM, bot: 'remote' });
    bot = await connect();
  });

  afterEach(async () => {
    await server.dispose();
    expect(reporter.reports).toEqual([]);
  });

  const store = (key: string, value?: unknown) =>
    bot.ok('bot.store', { changes: [{ owner: { alarms: ROOM }, key, value }] });
  const countFired = (from: TestClient, key: string) =>
    from.events('alarm.due').filter(({ data }) => data['key'] === key).length;
  const isDue = (key: string) => bot.event('alarm.due', (alarm) => alarm.key === key);

  /** Connects; resolves when overdue alarms have been sent. */
  async function connect(): Promise<TestClient> {
    const client = await connectClient('websocket', server.port, { token });
    await client.ok('bot.store', {
      changes: [{ owner: { alarms: ROOM }, key: 'now', value: { at: 0 } }],
    });
    await clock.advance(0);
    await client.event('alarm.due', ({ key }) => key === 'now');
    await client.ok('bot.store', { changes: [{ owner: { alarms: ROOM }, key: 'now' }] });
    return client;
  }

  test('fire at their time, even after two months', async () => {
    await store('tea', { at: clock.now() + 60 * DAY });
    await clock.advance(60 * DAY - 1);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(countFired(bot, 'tea')).toBe(0);
    await clock.advance(1);
    await isDue('tea');
  });

  test('fire five times, a minute apart, if the bot does not clear them', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    for (let times = 1; times <= 5; times++) {
      await isDue('tea');
      expect(countFired(bot, 'tea')).toBe(times);
      await clock.advance(MINUTE);
    }
    await clock.advance(DAY);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(countFired(bot, 'tea')).toBe(5);
  });

  test('fire after a restart of the server', async () => {
    await store('tea', { at: clock.now() + MINUTE });
    await server.stop();
    server = await start(server.env);
    bot = await connect();
    await clock.advance(MINUTE);
    await isDue('tea');
    expect(countFired(bot, 'tea')).toBe(1);
  });

  test('do not fire again after they are removed', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    await isDue('tea');
    await store('tea');
    await clock.advance(MINUTE);
    await store('end', { at: 0 });
    await clock.advance(0);
    await isDue('end');
    expect(countFired(bot, 'tea')).toBe(1);
  });

  test('fire at the new time if they change while overdue alarms are read', async () => {
    await store('tea', { at: clock.now() });
    await clock.advance(0);
    await isDue('tea');
    const botId = bot.welcome.user.id;
    const value = { at: clock.now() + DAY, value: 'green' };
    const changes = [{ owner: { alarms: ROOM }, key: 'tea', value }];
    const alarms = server.app.get(BotAlarmClock);
    const firing = alarms.fireOverdue(botId, ROOM);
    alarms.apply(botId, changes);
    await firing;
    await server.app.get(BotStates).write(botId, changes);
    await clock.advance(DAY);
    expect(await isDue('tea')).toMatchObject({ key: 'tea', ...value });
  });

  test('are deleted when they are due in a room that the bot has left', async () => {
    await store('tea', { at: clock.now() + MINUTE });
    await store('later', { at: clock.now() + DAY });
    await ann.ok('bot.remove', { room: ROOM, bot: 'remote' });
    await clock.advance(MINUTE);
    await ann.ok('bot.add', { room: ROOM, bot: 'remote' });
    const { entries } = await bot.ok('bot.load', { owner: { alarms: ROOM } });
    expect(entries.map(({ key }) => key)).toEqual(['later']);
    expect(countFired(bot, 'tea')).toBe(0);
  });
});
