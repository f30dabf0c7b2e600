import { FakeBotClock } from '#src/harness/fake-bot-clock.js';
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
import { FarScene } from './far-scene.js';

const CARRIERS = ['websocket', 'socket.io websocket'] as const;
const NOON = Date.UTC(2030, 0, 1, 12);

let far: FarScene;
afterEach(() => far.dispose());

@ChatBot({ name: 'far', timeoutMs: 5_000 })
class SlowBot {
  static gate = new Gate();
  static texts: string[] = [];

  @OnCommand('slow', { help: '/slow' })
  async slow(@Ctx() bot: BotContext): Promise<string> {
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

@ChatBot({ name: 'far' })
class RingingBot {
  static gate = new Gate();
  static later = new Gate();
  static rings = 0;

  @OnCommand('set', { help: '/set' })
  async set(@Ctx() bot: BotContext): Promise<void> {
    bot.alarms.set('ring', bot.now);
    if (bot.text === 'later') await RingingBot.later.pass();
  }

  @OnCommand('clear', { help: '/clear' })
  async clear(@Ctx() bot: BotContext): Promise<string> {
    await RingingBot.gate.pass();
    bot.alarms.clear('ring');
    return 'cleared';
  }

  @OnAlarm()
  async ring(): Promise<string> {
    RingingBot.rings++;
    await RingingBot.gate.pass();
    return 'rang';
  }
}

beforeEach(() => {
  RingingBot.gate = new Gate();
  RingingBot.later = new Gate();
  RingingBot.rings = 0;
  SlowBot.gate = new Gate();
  SlowBot.texts = [];
});

describe.each(CARRIERS)('a program of bots over %s', (carrier) => {
  beforeEach(async () => {
    far = await FarScene.start(carrier);
  });

  test('does what was begun once, though the connection is lost meanwhile', async () => {
    const clock = new FakeBotClock(NOON);
    const providers = [{ provide: BotClock, useValue: clock }];
    const program = await far.run({ bots: [SlowBot], providers });
    for (const text of ['/slow 1', '/slow 2', '/slow 3']) await far.say(text);
    await SlowBot.gate.reached;
    far.scene.proxy.cut();
    await eventually(() => program.status['far']?.name !== 'open', 'the loss of the connection');
    await clock.advance(60_000);
    SlowBot.gate.release();
    far.scene.proxy.mend();
    await far.hears('done 3');

    expect(SlowBot.texts).toEqual(['1', '2', '3']);
    expect(far.reports).toEqual([]);
    expect((await far.transcript()).slice(3)).toEqual([
      'far: done 1',
      'far: done 2',
      'far: done 3',
    ]);
  });

  test('ends the time of a handler that goes on after the connection was lost', async () => {
    const clock = new FakeBotClock(NOON);
    const providers = [{ provide: BotClock, useValue: clock }];
    const program = await far.run({ bots: [SlowBot], providers });
    await far.say('/slow 1');
    await SlowBot.gate.reached;
    far.scene.proxy.cut();
    await eventually(() => program.status['far']?.name !== 'open', 'the loss of the connection');
    await clock.advance(4_000);
    far.scene.proxy.mend();
    await eventually(() => program.status['far']?.name === 'open', 'the return');
    await clock.advance(4_000);
    expect(far.reports).toEqual([]);
    await clock.advance(1_000);
    await far.reported('timeout');
    await far.hears('Something went wrong here. Please try again later.');
    await program.close();
    const next = await far.run({ bots: [SlowBot] });
    await far.say('/count');
    await far.hears('1');

    expect(next.received).toBe(1);
    expect(SlowBot.texts).toEqual(['1']);
  });

  test('goes on where it was, with what it kept, after restarts of both sides', async () => {
    const program = await far.run({ bots: [SlowBot] });
    await far.say('/count');
    await far.hears('1');
    await program.close();
    await far.say('/count');
    await far.run({ bots: [SlowBot] });
    await far.hears('2');
    // A server that stops would tell when to come back, which takes its time.
    far.scene.proxy.cut();
    await far.scene.server.stop();
    await far.scene.startAgain();
    far.scene.proxy.mend();
    await far.enter();
    await far.say('/count');
    await far.hears('3');

    expect(far.reports).toEqual([]);
  });

  test('lets handlers that run come to their end before it closes', async () => {
    const program = await far.run({ bots: [SlowBot] });
    for (const text of ['/slow 1', '/slow 2']) await far.say(text);
    await SlowBot.gate.reached;
    const closing = program.close();
    SlowBot.gate.release();
    await closing;
    await program.closed();
    expect(await far.transcript()).toEqual(['ann: /slow 1', 'ann: /slow 2', 'far: done 1']);
    await far.run({ bots: [SlowBot] });
    await far.hears('done 2');

    expect(SlowBot.texts).toEqual(['1', '2']);
  });

  test('deals with an alarm once that rings again meanwhile', async () => {
    const program = await far.run({ bots: [RingingBot] });
    await far.say('/set');
    await RingingBot.gate.reached;
    far.scene.proxy.cut();
    await eventually(() => program.status['far']?.name !== 'open', 'the loss of the connection');
    far.scene.proxy.mend();
    await eventually(() => program.received === 3, 'the alarm once more');
    RingingBot.gate.release();
    await far.hears('rang');
    await program.close();

    expect(RingingBot.rings).toBe(1);
    expect(await far.transcript()).toEqual(['ann: /set', 'far: rang']);
  });

  test('leaves an alarm alone that was called off while it waited', async () => {
    const program = await far.run({ bots: [RingingBot] });
    await far.say('/set later');
    await far.say('/clear');
    await eventually(() => program.received === 2, 'both commands');
    RingingBot.later.release();
    await RingingBot.gate.reached;
    await eventually(() => program.received === 3, 'the alarm');
    RingingBot.gate.release();
    await far.hears('cleared');
    await program.close();

    expect(RingingBot.rings).toBe(0);
  });

  test('has no more under way than it takes', async () => {
    const program = await far.run({ bots: [SlowBot], inFlight: 2 });
    for (let i = 1; i <= 6; i++) await far.say(`/slow ${String(i)}`);
    await eventually(() => program.received === 2, 'the first events');
    await program.answered();
    expect(program.received).toBe(2);
    SlowBot.gate.release();
    await far.hears('done 6');

    expect(SlowBot.texts).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('begins with what is new if it says so', async () => {
    await far.say('/slow 1');
    SlowBot.gate.release();
    await far.run({ bots: [SlowBot], from: 'live' });
    await far.say('/slow 2');
    await far.hears('done 2');

    expect(SlowBot.texts).toEqual(['2']);
  });

  test('shares the rooms of a bot with other programs', async () => {
    SlowBot.gate.release();
    const options = { bots: [SlowBot], mode: 'shared' as const };
    const programs = [await far.run(options), await far.run(options)];
    for (let i = 0; i < 10; i++) await far.say(`/slow ${String(i)}`);
    await far.hears('done 9');
    expect(programs.map(({ received }) => received).sort()).toEqual([0, 10]);
    await programs.find(({ received }) => received > 0)?.close();
    await far.say('/slow again');
    await far.hears('done again');

    expect(SlowBot.texts).toHaveLength(11);
    expect(far.reports).toEqual([]);
  });

  test('ends when another program takes its place, and says so', async () => {
    const program = await far.run({ bots: [SlowBot] });
    const closed = program.closed();
    await far.run({ bots: [SlowBot] });
    const error = await closed.catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(BotStoppedError);
    expect(error).toMatchObject({ bot: 'far', closeCode: 4004 });
    expect(String(error)).toContain('a newer connection of this bot took its place');
    expect(far.reports).toMatchObject([{ bot: 'far', kind: 'stopped', error }]);
  });

  test('ends when its token is refused, and says so', async () => {
    const program = await far.begin({ bots: [SlowBot], token: 'pbt_no_such_token' });
    await expect(program.ready()).rejects.toThrow(/^The bot far does not come back: hello was ref/);
    await expect(program.closed()).rejects.toBeInstanceOf(BotStoppedError);
    expect(program.status['far']?.name).toBe('closed');
  });

  test('ends when its token is that of another bot, and says so', async () => {
    const program = await far.begin({ bots: [SlowBot], token: await far.register('near') });
    const why = 'The token is that of the bot near, and not of far.';
    await expect(program.ready()).rejects.toThrow(why);
    await expect(program.closed()).rejects.toThrow(why);
  });

  test('ends when the server refuses its commands, and says so', async () => {
    @ChatBot({ name: 'far' })
    class RollingBot {
      @OnCommand('roll', { help: '/roll' })
      roll(): string {
        return '7';
      }
    }
    const program = await far.begin({ bots: [RollingBot] });
    await expect(program.ready()).rejects.toThrow('The command /roll belongs to the bot dice.');
  });
});
