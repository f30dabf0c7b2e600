import { z } from 'zod';

import { createBotHarness, type BotHarness } from '#src/harness/index.js';
import { HelpBot } from '#src/bots/help/help.bot.js';
import type { BotContext } from '#src/bots/runtime/bot-context.js';
import { growing, type BotReply } from '#src/bots/runtime/bot-reply.js';
import { ChatBot, Ctx, OnCommand } from '#src/bots/runtime/chat-bot.decorator.js';
import { shorten } from '#src/bots/runtime/shorten.js';

import { OVER } from './over.js';

const CHARS = 30;
const LONG = '😀'.repeat(CHARS + 1);
const CUT = `${'😀'.repeat(CHARS - 1)}…`;

@ChatBot({ name: 'wordy' })
class WordyBot {
  @OnCommand('text', { help: '/text' })
  text(): string {
    return LONG;
  }

  @OnCommand('full', { help: '/full' })
  full(): BotReply {
    return { text: '😀'.repeat(CHARS) };
  }

  @OnCommand('edit', { help: '/edit' })
  async edit(@Ctx() bot: BotContext): Promise<void> {
    await bot.edit(await bot.say('short'), LONG);
  }

  @OnCommand('grow', { help: '/grow' })
  grow(@Ctx() bot: BotContext): BotReply {
    return growing(this.pieces(bot));
  }

  @OnCommand('refuse', { args: z.literal('never', LONG), help: '/refuse' })
  refuse(): void {
    // Nobody says what it takes.
  }

  private async *pieces(bot: BotContext): AsyncIterable<string> {
    for (const piece of [LONG, 'more', 'and more']) {
      yield piece;
      await bot.typing();
    }
  }
}

describe.each(OVER)('what bots write over %s', (over) => {
  let harness: BotHarness;

  beforeEach(async () => {
    const settings = { PARLANCE_LIMIT_TEXT_CHARS: String(CHARS) };
    harness = await createBotHarness({ bots: [WordyBot, HelpBot], over, settings });
  });

  afterEach(() => harness.close());

  test.each([
    ['/text', CUT],
    ['/full', '😀'.repeat(CHARS)],
    ['/edit', CUT],
    ['/grow', CUT],
    ['/refuse', CUT],
    ['/help', '@help: Tells what the bots he…'],
  ])('fits into a message: %s', async (text, answer) => {
    const ann = await harness.room('hall').user('ann');
    await ann.says(text);
    await harness.settled();
    const [, written] = harness.room('hall').messages();
    expect(written?.text).toBe(answer);
    expect(harness.reports).toEqual([]);
  });
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['😀😀😀', 3, '😀😀😀'],
  ['😀😀😀😀', 3, '😀😀…'],
  ['a😀b😀c', 4, 'a😀b…'],
  ['ab', 1, '…'],
])('%j is cut to %i characters', (text, most, cut) => {
  expect(shorten(text, most)).toBe(cut);
});
