import { StandaloneDispatcher } from '#src/bots/standalone/standalone-dispatcher.js';
import { FakeBotClock } from '#src/bots/testing/fake-bot-clock.js';
import {
  BotClock,
  BotStoppedError,
  ChatBot,
  Ctx,
  OnAlarm,
  OnCommand,
  type BotContext,
} from '#src/index.js';

import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { RemoteBotScene } from './remote-bot-scene.js';

const CARRIERS = ['websocket', 'socket.io websocket'] as const;
const NOON = Date.UTC(2030, 0, 1, 12);

let remote: RemoteBotScene;
afterEach(() => remote.dispose());

/** Number of events and alarms that have arrived at the programs of a test. */
let received = 0;
const { push, pushAlarm } = StandaloneDispatcher.prototype;

beforeAll(() => {
  StandaloneDispatcher.prototype.push = function (this: StandaloneDispatcher, event) {
    received++;
    push.call(this, event);
  };
  StandaloneDispatcher.prototype.pushAlarm = function (this: StandaloneDispatcher, alarm) {
    received++;
    pushAlarm.call(this, alarm);
  };
});

afterAll(() => Object.assign(StandaloneDispatcher.prototype, { push, pushAlarm }));

@ChatBot({ name: 'remote', timeoutMs: 5_000 })
class SlowBot {
  static gate = new Gate();
  static texts: string[] = [];

  /** Number of calls of the handler of this instance. */
  calls = 0;

  @OnCommand('slow', { help: '/slow' })
  async slow(@Ctx() bot: BotContext): Promise<string> {
    this.calls++;
    SlowBot.texts.push(bot.text);
    await SlowBot.gate.pass();
    return `done ${bot.text}`;
  }

  @OnCommand('count', { help: '/count' })
  async count(@Ctx() bot: BotContext): Promise<string> {
    const count = ((await bot.state.room.get<number>('count')) ?? 0) + 1;
    bot.state.room.set('count', count);
    return String(count);
  }
}

@ChatBot({ name: 'remote' })
class AlarmBot {
  static gate = new Gate();
  static later = new Gate();
  static alarms = 0;

  @OnCommand('set', { help: '/set' })
  async set(@Ctx() bot: BotContext): Promise<void> {
    bot.alarms.set('ring', bot.now);
    if (bot.text === 'later') await AlarmBot.later.pass();
  }

  @OnCommand('clear', { help: '/clear' })
  async clear(@Ctx() bot: BotContext): Promise<string> {
    await AlarmBot.gate.pass();
    bot.alarms.clear('ring');
    return 'cleared';
  }

  @OnAlarm()
  async due(): Promise<string> {
    AlarmBot.alarms++;
    await AlarmBot.gate.pass();
    return 'done';
  }
}

beforeEach(() => {
  received = 0;
  AlarmBot.gate = new Gate();
  AlarmBot.later = new Gate();
  AlarmBot.alarms = 0;
  SlowBot.gate = new Gate();
  SlowBot.texts = [];
});

describe.each(CARRIERS)('a standalone bot over %s', (carrier) => {
  beforeEach(async () => {
    remote = await RemoteBotScene.start(carrier);
  });

  test('handles each event once when the connection is lost during a handler', async () => {
    const clock = new FakeBotClock(NOON);
    const providers = [{ provide: BotClock, useValue: clock }];
    const program = await remote.run({ bots: [SlowBot], providers });
    for (const text of ['/slow 1', '/slow 2', '/slow 3']) await remote.say(text);
    await SlowBot.gate.reached;
    remote.scene.proxy.cut();
    await eventually(() => program.status['remote']?.name !== 'open', 'the loss of the connection');
    await clock.advance(60_000);
    SlowBot.gate.release();
    remote.scene.proxy.repair();
    await remote.hears('done 3');

    expect(SlowBot.texts).toEqual(['1', '2', '3']);
    expect(remote.reports).toEqual([]);
    expect((await remote.transcript()).slice(3)).toEqual([
      'remote: done 1',
      'remote: done 2',
      'remote: done 3',
    ]);
  });

  test('times out a handler that still runs after a reconnect', async () => {
    const clock = new FakeBotClock(NOON);
    const providers = [{ provide: BotClock, useValue: clock }];
    const program = await remote.run({ bots: [SlowBot], providers });
    await remote.say('/slow 1');
    await SlowBot.gate.reached;
    remote.scene.proxy.cut();
    await eventually(() => program.status['remote']?.name !== 'open', 'the loss of the connection');
    await clock.advance(4_000);
    remote.scene.proxy.repair();
    await eventually(() => program.status['remote']?.name === 'open', 'the reconnect');
    await clock.advance(4_000);
    expect(remote.reports).toEqual([]);
    await clock.advance(1_000);
    await remote.reported('timeout');
    await remote.hears('Something went wrong here. Please try again later.');
    await program.close();
    const receivedBefore = received;
    await remote.run({ bots: [SlowBot] });
    await remote.say('/count');
    await remote.hears('1');

    expect(received - receivedBefore).toBe(1);
    expect(SlowBot.texts).toEqual(['1']);
  });

  test('continues with its state after restarts of the program and the server', async () => {
    const program = await remote.run({ bots: [SlowBot] });
    await remote.say('/count');
    await remote.hears('1');
    await program.close();
    await remote.say('/count');
    await remote.run({ bots: [SlowBot] });
    await remote.hears('2');
    // A stopping server would announce a reconnect delay, which would slow the test down.
    remote.scene.proxy.cut();
    await remote.scene.server.stop();
    await remote.scene.restart();
    remote.scene.proxy.repair();
    await remote.enter();
    await remote.say('/count');
    await remote.hears('3');

    expect(remote.reports).toEqual([]);
  });

  test('finishes running handlers before it closes', async () => {
    const program = await remote.run({ bots: [SlowBot] });
    for (const text of ['/slow 1', '/slow 2']) await remote.say(text);
    await SlowBot.gate.reached;
    const closing = program.close();
    SlowBot.gate.release();
    await closing;
    await program.closed();
    expect(await remote.transcript()).toEqual(['ann: /slow 1', 'ann: /slow 2', 'remote: done 1']);
    await remote.run({ bots: [SlowBot] });
    await remote.hears('done 2');

    expect(SlowBot.texts).toEqual(['1', '2']);
  });

  test('handles an alarm once that is sent again during its handler', async () => {
    const program = await remote.run({ bots: [AlarmBot] });
    await remote.say('/set');
    await AlarmBot.gate.reached;
    remote.scene.proxy.cut();
    await eventually(() => program.status['remote']?.name !== 'open', 'the loss of the connection');
    remote.scene.proxy.repair();
    await eventually(() => received === 3, 'the alarm once more');
    AlarmBot.gate.release();
    await remote.hears('done');
    await program.close();

    expect(AlarmBot.alarms).toBe(1);
    expect(await remote.transcript()).toEqual(['ann: /set', 'remote: done']);
  });

  test('does not handle an alarm that was cancelled while it waited', async () => {
    const program = await remote.run({ bots: [AlarmBot] });
    await remote.say('/set later');
    await remote.say('/clear');
    await eventually(() => received === 2, 'both commands');
    AlarmBot.later.release();
    await AlarmBot.gate.reached;
    await eventually(() => received === 3, 'the alarm');
    AlarmBot.gate.release();
    await remote.hears('cleared');
    await program.close();

    expect(AlarmBot.alarms).toBe(0);
  });

  test('receives at most inFlight unacknowledged events', async () => {
    const program = await remote.run({ bots: [SlowBot], inFlight: 2 });
    for (let i = 1; i <= 6; i++) await remote.say(`/slow ${String(i)}`);
    await eventually(() => received === 2, 'the first events');
    await program.ping();
    expect(received).toBe(2);
    SlowBot.gate.release();
    await remote.hears('done 6');

    expect(SlowBot.texts).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('starts with new events if `from` is live', async () => {
    await remote.say('/slow 1');
    SlowBot.gate.release();
    await remote.run({ bots: [SlowBot], from: 'live' });
    await remote.say('/slow 2');
    await remote.hears('done 2');

    expect(SlowBot.texts).toEqual(['2']);
  });

  test('shares the rooms of a bot with other programs', async () => {
    SlowBot.gate.release();
    const programs = [];
    for (const bot of [new SlowBot(), new SlowBot()]) {
      programs.push({ bot, program: await remote.run({ bots: [bot], mode: 'shared' }) });
    }
    for (let i = 0; i < 10; i++) await remote.say(`/slow ${String(i)}`);
    await remote.hears('done 9');
    expect(programs.map(({ bot }) => bot.calls).sort()).toEqual([0, 10]);
    await programs.find(({ bot }) => bot.calls > 0)?.program.close();
    await remote.say('/slow again');
    await remote.hears('done again');

    expect(SlowBot.texts).toHaveLength(11);
    expect(remote.reports).toEqual([]);
  });

  test('stops with an error when another program replaces it', async () => {
    const program = await remote.run({ bots: [SlowBot] });
    const closed = program.closed();
    await remote.run({ bots: [SlowBot] });
    const error = await closed.catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(BotStoppedError);
    expect(error).toMatchObject({ bot: 'remote', closeCode: 4004 });
    expect(String(error)).toContain('a newer connection of this bot took its place');
    expect(remote.reports).toMatchObject([{ bot: 'remote', kind: 'stopped', error }]);
  });

  test('stops with an error when its token is refused', async () => {
    const program = await remote.connect({ bots: [SlowBot], token: 'pbt_no_such_token' });
    await expect(program.ready()).rejects.toThrow(
      /^The bot remote has stopped: The server refused the token/,
    );
    await expect(program.closed()).rejects.toBeInstanceOf(BotStoppedError);
    expect(program.status['remote']?.name).toBe('closed');
  });

  test('stops with an error when its token belongs to another bot', async () => {
    const program = await remote.connect({
      bots: [SlowBot],
      token: await remote.register('other'),
    });
    const why = 'The token belongs to the bot other, not to remote.';
    await expect(program.ready()).rejects.toThrow(why);
    await expect(program.closed()).rejects.toThrow(why);
  });

  test('stops with an error when the server refuses its commands', async () => {
    @ChatBot({ name: 'remote' })
    class RollingBot {
      @OnCommand('roll', { help: '/roll' })
      roll(): string {
        return '7';
      }
    }
    const program = await remote.connect({ bots: [RollingBot] });
    await expect(program.ready()).rejects.toThrow('The command /roll belongs to the bot dice.');
  });
});
