import { z } from 'zod';

import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import { HelpBot } from '#src/bots/built-in/help.bot.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import { stream, type BotReply } from '#src/bots/kit/bot-reply.js';
import { ChatBot, Ctx, OnCommand } from '#src/bots/kit/chat-bot.decorator.js';
import { shorten } from '#src/bots/kit/shorten.js';

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
    return stream(this.pieces(bot));
  }

  @OnCommand('refuse', { args: z.literal('never', LONG), help: '/refuse' })
  refuse(): void {
    // Never called: the schema refuses every text.
  }

  private async *pieces(bot: BotContext): AsyncIterable<string> {
    for (const piece of [LONG, 'more', 'and more']) {
      yield piece;
      await bot.typing();
    }
  }
}

describe.each(HARNESS_TRANSPORTS)('messages of bots over %s', (transport) => {
  let harness: BotHarness;

  beforeEach(async () => {
    const settings = { PARLANCE_LIMIT_TEXT_CHARS: String(CHARS) };
    harness = await createBotHarness({ bots: [WordyBot, HelpBot], transport, settings });
  });

  afterEach(() => harness.close());

  test.each([
    ['/text', CUT],
    ['/full', '😀'.repeat(CHARS)],
    ['/edit', CUT],
    ['/grow', CUT],
    ['/refuse', CUT],
    ['/help', '@help: Lists the bots of a ro…'],
  ])('are cut to the maximum length: %s', async (text, answer) => {
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
