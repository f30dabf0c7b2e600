import { Inject } from '@nestjs/common';

import { createBotHarness, type BotHarness, type BotHarnessOptions } from '#src/harness/index.js';
import { BotClock } from '#src/bots/runtime/bot-clock.js';
import { growing, type BotReply } from '#src/bots/runtime/bot-reply.js';
import { ChatBot, OnCommand } from '#src/bots/runtime/chat-bot.decorator.js';

import { OVER } from './over.js';

@ChatBot({ name: 'slow' })
class SlowBot {
  constructor(@Inject(BotClock) private readonly clock: BotClock) {}

  @OnCommand('grow', { help: '/grow' })
  grow(): BotReply {
    return growing(this.words(400));
  }

  @OnCommand('count', { help: '/count' })
  count(): BotReply {
    return this.words(0);
  }

  private async *words(pauseMs: number): AsyncIterable<string> {
    for (const word of ['one ', 'two ', 'three ', 'four ', 'five ']) {
      yield word;
      if (pauseMs > 0) await new Promise<void>((resolve) => this.clock.after(pauseMs, resolve));
    }
  }
}

let harness: BotHarness;

async function start(options: Omit<BotHarnessOptions, 'bots'>) {
  harness = await createBotHarness({ bots: [SlowBot], ...options });
  return harness.room('hall').user('ann');
}

afterEach(() => harness.close());

const said = () =>
  harness
    .room('hall')
    .messages()
    .slice(1)
    .map(({ text }) => text);

test.each(OVER)(
  'tells when a text that grows over %s is shown: at once, then once a second',
  async (over) => {
    const ann = await start({ over });
    await ann.says('/grow');
    const shown: string[] = [];
    for (const ms of [0, 1_000, 200, 799, 1]) {
      await harness.clock.advance(ms);
      shown.push(said().join());
    }
    expect(shown).toEqual([
      ...['one ', 'one '],
      ...['one two three four ', 'one two three four '],
      'one two three four five ',
    ]);
    expect(harness.reports).toEqual([]);
  },
);

// From afar, a bot writes at the rate of every client, which goes by the time of the machine.
test('tells when a bot inside the server may write more', async () => {
  const settings = {
    PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1',
    PARLANCE_LIMIT_MESSAGES_BURST: '2',
  };
  const ann = await start({ settings });
  await ann.says('/count');
  const counts: number[] = [];
  for (const ms of [0, 999, 1, 2_000]) {
    await harness.clock.advance(ms);
    counts.push(said().length);
  }
  expect(counts).toEqual([2, 2, 3, 5]);
  expect(harness.reports).toEqual([]);
});
