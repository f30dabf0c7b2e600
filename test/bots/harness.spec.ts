import { Inject, Injectable, Optional } from '@nestjs/common';

import { Writer } from '#src/database/writer.js';
import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import {
  Args,
  ChatBot,
  Ctx,
  Fallback,
  Hears,
  OnCommand,
} from '#src/bots/kit/chat-bot.decorator.js';

const TIMEOUT_MS = 10_000;

@Injectable()
class Pantry {
  readonly stock: string = 'a parrot';
}

@ChatBot({ name: 'parrot', about: 'Says it again.' })
class ParrotBot {
  constructor(private readonly pantry: Pantry) {}

  @OnCommand('say', { help: '/say hello' })
  say(@Args() text: string): string {
    return text;
  }

  @OnCommand('stock', { help: '/stock tells what there is' })
  stock(): string {
    return this.pantry.stock;
  }

  @OnCommand('wait', { help: '/wait waits too long' })
  async wait(): Promise<never> {
    return new Promise<never>(() => undefined);
  }

  @Hears(/thank/i)
  thanks(@Ctx() bot: BotContext): Promise<void> {
    return bot.react('🦜');
  }
}

describe.each(HARNESS_TRANSPORTS)('the bot harness over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [ParrotBot], providers: [Pantry], transport });
    ann = await harness.room('Zoo').user('ann');
  });

  afterEach(() => harness.close());

  const transcript = () => harness.room('zoo').transcript();
  const kinds = () => harness.reports.map(({ kind }) => kind);

  test('lets people write, reply and react, and bots answer', async () => {
    await ann.says('/say hello');
    await harness.settled();
    const [said, answer] = harness.room('zoo').messages();
    const bob = await harness.room('zoo').user('bob');
    if (answer !== undefined) await bob.says('thank you', { replyTo: answer });
    if (said !== undefined) await bob.reacts('👋', said);
    await harness.settled();
    expect(transcript()).toEqual(['ann: /say hello', 'parrot: hello', 'bob: thank you']);
    const emoji = harness
      .room('zoo')
      .messages()
      .map(({ reactions }) => reactions[0]?.emoji);
    expect(emoji).toEqual(['👋', undefined, '🦜']);
    expect(harness.reports).toEqual([]);
  });

  test('injects providers into bots, and replaces them', async () => {
    const providers = [{ provide: Pantry, useValue: { stock: 'nothing' } }];
    const other = await createBotHarness({ bots: [ParrotBot], providers, transport });
    await (await other.room('zoo').user('ann')).says('/stock');
    await other.settled();
    expect(other.room('zoo').transcript()).toEqual(['ann: /stock', 'parrot: nothing']);
    await other.close();
  });

  test('lets a handler hang until it times out', async () => {
    harness.fault.hang('parrot', 'say');
    await ann.says('/say hello');
    await harness.settled();
    expect(transcript()).toEqual(['ann: /say hello']);
    await harness.clock.advance(TIMEOUT_MS - 1);
    expect(kinds()).toEqual([]);
    await harness.clock.advance(1);
    expect(kinds()).toEqual(['timeout']);
    expect(transcript()[1]).toMatch(/^parrot: Something went wrong/);
  });

  test('times out a handler that hangs by itself', async () => {
    await ann.says('/wait');
    await harness.clock.advance(TIMEOUT_MS);
    expect(kinds()).toEqual(['timeout']);
  });

  test('lets a handler throw until the fault is cleared; the bot rests and resumes', async () => {
    harness.fault.throw('parrot');
    for (let i = 0; i < 5; i++) await ann.says('/say hello');
    await harness.settled();
    expect(kinds()).toEqual([...Array<string>(5).fill('error'), 'resting']);
    harness.fault.clear();
    await ann.says('/say ignored');
    await harness.clock.advance(60_000);
    await ann.says('/say back');
    await harness.settled();
    expect(transcript().at(-1)).toBe('parrot: back');
    expect(transcript()).not.toContain('parrot: ignored');
  });

  test('delivers an event twice, and the bot answers once', async () => {
    await ann.says('/say once');
    await harness.settled();
    harness.fault.redeliver();
    await harness.settled();
    expect(transcript()).toEqual(['ann: /say once', 'parrot: once']);
  });

  test('settles when everything is answered, in order', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => String(i));
    await Promise.all(texts.map((text) => ann.says(`/say ${text}`)));
    await harness.settled();
    const answers = transcript().filter((line) => line.startsWith('parrot: '));
    expect(answers).toEqual(texts.map((text) => `parrot: ${text}`));
  });

  test('names the bots and handlers if a fault is for an unknown one', () => {
    expect(() => harness.fault.hang('owl')).toThrow('There is no bot owl here: use');
    expect(() => harness.fault.throw('parrot', 'fly')).toThrow('no handler fly: use say');
  });

  test('reconnects people after a restart', async () => {
    await ann.says('/say before');
    await harness.settled();
    await harness.restart();
    await ann.says('/say after');
    await harness.settled();
    expect(transcript()).toEqual([
      'ann: /say before',
      'parrot: before',
      'ann: /say after',
      'parrot: after',
    ]);
  });

  test('throws the reason when the server refuses a command', async () => {
    const refused = ann.call('room.get', { room: 'nowhere' });
    await expect(refused).rejects.toThrow('room.get of ann was refused with not_found');
  });

  test('stops while a handler hangs', async () => {
    harness.fault.hang('parrot');
    await ann.says('/say hello');
    await harness.settled();
    await harness.restart();
    expect(kinds()).toEqual(['error']);
  });
});

test.each(HARNESS_TRANSPORTS)(
  'a bot runs inside the server, or outside over a connection: %s',
  async (transport) => {
    @ChatBot({ name: 'lost' })
    class LostBot {
      constructor(@Optional() @Inject(Writer) private readonly writer?: Writer) {}

      @OnCommand('where', { help: '/where' })
      where(): string {
        return this.writer === undefined ? 'outside' : 'inside';
      }
    }
    const harness = await createBotHarness({ bots: [LostBot], transport });
    await (await harness.room('zoo').user('ann')).says('/where');
    await harness.settled();
    const where = transport === 'in-process' ? 'inside' : 'outside';
    expect(harness.room('zoo').transcript()).toEqual(['ann: /where', `lost: ${where}`]);
    await harness.close();
  },
);

describe.each(HARNESS_TRANSPORTS)('the default checks over %s', (transport) => {
  async function check(bot: new () => object): Promise<void> {
    const harness = await createBotHarness({ bots: [bot], transport });
    try {
      await harness.defaultChecks();
    } finally {
      await harness.close();
    }
  }

  test('reject a bot that throws at a mention without text', async () => {
    @ChatBot({ name: 'fragile' })
    class FragileBot {
      @Fallback()
      answer(@Ctx() { text }: BotContext): string {
        return text.split(' ')[1]?.toUpperCase() ?? fail('nothing was said');
      }
    }
    await expect(check(FragileBot)).rejects.toThrow(
      'The bot fragile fails a check of all bots: it fails for "@fragile": ' +
        'error in answer: nothing was said',
    );
  });

  test('reject a bot that throws at a long message', async () => {
    @ChatBot({ name: 'tired' })
    class TiredBot {
      @OnCommand('read', { help: '/read' })
      read(@Args() text: string): void {
        if (text.length > 100) fail('too much');
      }
    }
    await expect(check(TiredBot)).rejects.toThrow(/it fails for "\/read x+…": error in read/);
  });

  test('reject a bot that answers twice', async () => {
    let count = 0;
    @ChatBot({ name: 'counter' })
    class CounterBot {
      @OnCommand('count', { help: '/count' })
      async *count(): AsyncGenerator<string> {
        for (let i = 0; i <= count; i++) yield String(i);
        count++;
      }
    }
    await expect(check(CounterBot)).rejects.toThrow('it answers "/count" again');
  });

  test('reject a class that is not a bot', async () => {
    await expect(check(Pantry)).rejects.toThrow('Pantry is not a bot: decorate the class');
  });
});

function fail(why: string): never {
  throw new Error(why);
}
