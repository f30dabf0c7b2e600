import { ForbiddenException, UseGuards, type CanActivate, type Type } from '@nestjs/common';

import { IdleTracker } from '#src/bots/kit/idle-tracker.js';
import { BotReporter } from '#src/bots/kit/bot-reporter.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import type { BotReport } from '#src/bots/kit/bot-host.js';
import { ChatBot, Ctx, Hears, OnCommand, OnRoom } from '#src/bots/kit/chat-bot.decorator.js';
import { CollectingBotReporter } from '#src/bots/testing/bot-harness.js';

import type { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'bots';
const READ = ['messages:addressed', 'messages:read', 'messages:write'] as const;
const SECRET = 'the password is 1234';

@ChatBot({ name: 'echo' })
class EchoBot {
  @OnCommand('echo', { help: '/echo text' })
  echo(@Ctx() { text }: BotContext): string {
    return text;
  }
}

class DenyAll implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@ChatBot({ name: 'broken', timeoutMs: 100 })
class BrokenBot {
  late: Promise<unknown> | undefined;

  @OnCommand('throw', { help: '/throw' })
  throw(): never {
    throw new Error(SECRET);
  }

  @OnCommand('hang', { help: '/hang' })
  async hang(@Ctx() bot: BotContext): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      bot.signal.addEventListener('abort', () => resolve());
    });
    this.late = aborted.then(() => bot.say('too late'));
    await new Promise(() => undefined);
  }

  @UseGuards(DenyAll)
  @OnCommand('guarded', { help: '/guarded' })
  guarded(): string {
    return 'never';
  }

  @OnCommand('forget', { help: '/forget' })
  async forget(@Ctx() bot: BotContext): Promise<void> {
    bot.state.room.set('n', 41);
    bot.state.room.set('n', ((await bot.state.room.get<number>('n')) ?? 0) + 1);
    if (bot.text === 'now') throw new ForbiddenException();
  }

  @OnCommand('recall', { help: '/recall' })
  async recall(@Ctx() bot: BotContext): Promise<string> {
    return `n is ${String(await bot.state.room.get('n'))}`;
  }
}

function parrot(name: string): Type {
  @ChatBot({ name, scopes: READ })
  class Parrot {
    @Hears(/.*/, { when: 'all', fromBots: true })
    repeat(@Ctx() bot: BotContext): string {
      return `${name} heard ${bot.message?.sender.name ?? ''}`;
    }
  }
  return Parrot;
}

@ChatBot({ name: 'slow', scopes: READ })
class SlowBot {
  readonly seen: number[] = [];
  private open: (() => void) | undefined;
  readonly gate = new Promise<void>((resolve) => (this.open = resolve));

  release(): void {
    this.open?.();
  }

  @Hears(/./, { when: 'all' })
  async see(@Ctx() bot: BotContext): Promise<void> {
    await this.gate;
    this.seen.push(bot.event.data.seq);
  }
}

/** A pattern that throws, as one that runs out of memory does. */
class BrittlePattern extends RegExp {
  override exec(): never {
    throw new Error(SECRET);
  }
}

@ChatBot({ name: 'brittle', scopes: READ })
class BrittleBot {
  @Hears(new BrittlePattern('.'), { when: 'all' })
  hear(): string {
    return 'never';
  }
}

@ChatBot({ name: 'greeter', scopes: ['members:read', 'messages:write'] })
class GreeterBot {
  @OnRoom('member.joined')
  async *connectClient(@Ctx() { author }: BotContext): AsyncIterable<string> {
    yield await Promise.resolve(`Welcome, ${author?.name ?? ''}.`);
    yield 'Say /help.';
  }
}

describe('bots', () => {
  let server: TestServer;
  let ann: TestClient;
  let reports: readonly BotReport[];

  async function start(...bots: Type[]): Promise<void> {
    const reporter = new CollectingBotReporter();
    ({ reports } = reporter);
    const providers = [{ provide: BotReporter, useValue: reporter }];
    server = await startServer({}, { bots, providers });
    ann = await connectClient('websocket', server.port, { name: 'ann' });
    await ann.ok('room.join', { room: ROOM, create: true });
  }

  async function add(bot: string, scopes?: readonly string[]): Promise<void> {
    await ann.ok('bot.add', { room: ROOM, bot, ...(scopes && { scopes: scopes as never }) });
  }

  const say = (text: string) => ann.ok('message.send', { room: ROOM, text });

  async function transcript(): Promise<string[]> {
    await server.app.get(IdleTracker).whenIdle();
    const { messages } = await ann.ok('message.history', { room: ROOM, limit: 100 });
    return messages.map(({ sender, text }) => `${sender.name}: ${text}`);
  }

  afterEach(() => server.dispose());

  test('an error is reported, affects no other bot, and is not shown in the room', async () => {
    await start(BrokenBot, EchoBot);
    await add('broken');
    await add('echo');
    await say('/throw');
    await say('/echo hello');
    await ann.event('message.created', ({ message }) => message.text === 'hello');

    expect((await transcript()).sort()).toEqual([
      'ann: /echo hello',
      'ann: /throw',
      'broken: Something went wrong here. Please try again later.',
      'echo: hello',
    ]);
    expect(JSON.stringify(ann.frames)).not.toContain(SECRET);
    expect(reports).toMatchObject([{ bot: 'broken', kind: 'error', handler: 'throw', room: ROOM }]);
  });

  test('a pattern that throws is reported, and affects no other bot', async () => {
    await start(BrittleBot, EchoBot);
    await add('brittle', READ);
    await add('echo');
    await say('/echo hello');
    await ann.event('message.created', ({ message }) => message.text === 'hello');

    expect(JSON.stringify(ann.frames)).not.toContain(SECRET);
    expect(reports).toMatchObject([{ bot: 'brittle', kind: 'error', room: ROOM }]);
  });

  test('a handler that hangs times out, and its later actions are refused', async () => {
    await start(BrokenBot);
    await add('broken');
    await say('/hang');
    await say('/recall');
    const lines = await transcript();
    await expect(server.app.get(BrokenBot).late).rejects.toThrow('handler has timed out');

    expect(lines).toEqual([
      'ann: /hang',
      'ann: /recall',
      'broken: Something went wrong here. Please try again later.',
      'broken: n is undefined',
    ]);
    expect(reports.map(({ kind }) => kind)).toEqual(['timeout', 'late-effect']);
    expect(await transcript()).toEqual(lines);
  });

  test('a refusal by a guard is answered, and is not a failure of the bot', async () => {
    await start(BrokenBot);
    await add('broken');
    for (let i = 0; i < 6; i++) await say('/guarded');
    const lines = await transcript();

    expect(lines.filter((line) => line === 'broken: You may not do that.')).toHaveLength(6);
    expect(reports.map(({ kind }) => kind)).toEqual(Array(6).fill('denied'));
    const { bots } = await ann.ok('bot.status', { room: ROOM });
    expect(bots[0]?.state).toBe('active');
  });

  test('state is stored only if the handler succeeds', async () => {
    await start(BrokenBot);
    await add('broken');
    await say('/forget now');
    await say('/recall');
    await say('/forget');
    await say('/recall');

    const said = (await transcript()).filter((line) => line.startsWith('broken: n'));
    expect(said).toEqual(['broken: n is undefined', 'broken: n is 42']);
  });

  test('a bot that fails five times rests, and its status says so', async () => {
    await start(BrokenBot);
    await add('broken');
    for (let i = 0; i < 7; i++) await say('/throw');
    const lines = await transcript();
    const { bots } = await ann.ok('bot.status', {});

    expect(lines.filter((line) => line.startsWith('broken:'))).toHaveLength(5);
    expect(reports.map(({ kind }) => kind)).toEqual([...Array<string>(5).fill('error'), 'resting']);
    const broken = bots.find(({ bot }) => bot.name === 'broken');
    expect(broken?.state).toBe('resting');
    expect(broken?.until).toBeGreaterThan(Date.now());
  });

  test('a chain of bot messages ends after four hops', async () => {
    await start(parrot('polly'), parrot('jack'), parrot('rio'));
    for (const bot of ['polly', 'jack', 'rio']) await add(bot, READ);
    await say('hello');
    const lines = await transcript();
    const { messages } = await ann.ok('message.history', { room: ROOM, limit: 100 });

    // Two or three other bots answer each message: 3 + 6 + 12 + 24.
    expect(lines).toHaveLength(1 + 3 + 6 + 12 + 24);
    expect(Math.max(...messages.map(({ hops = 0 }) => hops))).toBe(4);
    expect(lines.filter((line) => /^(\w+): \1 heard \1$/.test(line))).toEqual([]);
  });

  test('a pair of bots that keeps answering each other is muted', async () => {
    await start(parrot('polly'), parrot('jack'));
    for (const bot of ['polly', 'jack']) await add(bot, READ);
    for (let i = 0; i < 10; i++) {
      await say('hello');
      await transcript();
    }
    const lines = await transcript();

    expect(reports.map(({ kind }) => kind)).toContain('loop');
    expect(lines.at(-1)).toMatch(/^(polly|jack): \w+ heard ann$/);
    const fromBots = lines.filter((line) => /heard (polly|jack)$/.test(line));
    expect(fromBots).toHaveLength(20);
  });

  test('a full lane continues from the log, in order and without gaps', async () => {
    await start(SlowBot);
    await add('slow', READ);
    const seqs: number[] = [];
    for (let i = 0; i < 200; i++) seqs.push((await say(String(i))).message.seq);
    const slow = server.app.get(SlowBot);
    slow.release();
    await transcript();

    expect(slow.seen).toEqual(seqs);
  });

  test('events reach only bots with the scope; an iterable writes several messages', async () => {
    await start(GreeterBot);
    await add('greeter', ['messages:write']);
    await (
      await connectClient('websocket', server.port, { name: 'bob' })
    ).ok('room.join', { room: ROOM });
    expect(await transcript()).toEqual([]);
    await add('greeter', ['members:read', 'messages:write']);
    await (
      await connectClient('websocket', server.port, { name: 'cyd' })
    ).ok('room.join', { room: ROOM });
    await ann.event('message.created', ({ message }) => message.text === 'Say /help.');

    expect(await transcript()).toEqual(['greeter: Welcome, cyd.', 'greeter: Say /help.']);
  });

  test('a bot without the scope messages:write cannot write', async () => {
    await start(EchoBot);
    await add('echo', ['messages:addressed']);
    await say('/echo hello');

    expect(await transcript()).toEqual(['ann: /echo hello']);
    expect(reports[0]).toMatchObject({ bot: 'echo', kind: 'error' });
  });
});
