import {
  createBotHarness,
  type BotHarness,
  type BotHarnessOptions,
  HARNESS_TRANSPORTS,
} from '#src/bots/testing/index.js';
import { BotClock } from '#src/bots/kit/bot-clock.js';
import { stream, type BotReply } from '#src/bots/kit/bot-reply.js';
import { ChatBot, OnCommand } from '#src/bots/kit/chat-bot.decorator.js';

@ChatBot({ name: 'slow' })
class SlowBot {
  constructor(private readonly clock: BotClock) {}

  @OnCommand('grow', { help: '/grow' })
  grow(): BotReply {
    return stream(this.words(400));
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

test.each(HARNESS_TRANSPORTS)(
  'shows a streamed text over %s at once, then once a second',
  async (transport) => {
    const ann = await start({ transport });
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

// A remote bot has the rate limit of every client, which uses the system time.
test('applies the rate limit to a bot inside the server', async () => {
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
