import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import { PollBot } from '#src/bots/built-in/poll.bot.js';
import type { Message } from '#src/protocol/models.js';

describe.each(HARNESS_TRANSPORTS)('poll over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;
  let bob: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [PollBot], transport });
    ann = await harness.room('lunch').user('ann');
    bob = await harness.room('lunch').user('bob');
  });

  afterEach(() => harness.close());

  /** Returns the current message of the poll. */
  const shown = () => harness.room('lunch').messages()[1] as Message;

  async function ask(): Promise<Message> {
    await ann.says('/poll "Lunch?" pizza “raw fish”');
    await harness.settled();
    return shown();
  }

  test('passes the default checks', () => harness.defaultChecks());

  test('adds a reaction for each answer', async () => {
    const { text, reactions } = await ask();
    expect(text).toBe('📊 Lunch?\n1️⃣ pizza: 0\n2️⃣ raw fish: 0');
    expect(reactions.map(({ emoji }) => emoji)).toEqual(['1️⃣', '2️⃣']);
  });

  test('shows all votes of a second with one edit', async () => {
    const poll = await ask();
    await ann.reacts('2️⃣', poll);
    await bob.reacts('1️⃣', poll);
    await bob.reacts('2️⃣', poll);
    await bob.reacts('👍', poll);
    await harness.clock.advance(1_000);
    expect(shown().text).toBe('📊 Lunch?\n1️⃣ pizza: 1\n2️⃣ raw fish: 2');
    const { editedAt } = shown();
    await harness.clock.advance(60_000);
    expect(shown().editedAt).toBe(editedAt);
    await bob.unreacts('1️⃣', poll);
    await harness.clock.advance(1_000);
    expect(shown().text).toContain('pizza: 0');
  });

  test('continues after a restart', async () => {
    const poll = await ask();
    await ann.reacts('1️⃣', poll);
    await harness.settled();
    await harness.restart();
    await bob.reacts('1️⃣', poll);
    await harness.clock.advance(1_000);
    expect(shown().text).toContain('pizza: 2');
  });

  test('ends after a day', async () => {
    const poll = await ask();
    await harness.clock.advance(86_400_000);
    expect(shown().text).toMatch(/^📊 Lunch\? \(over\)/);
    await bob.reacts('1️⃣', poll);
    await harness.clock.advance(1_000);
    expect(shown().text).toContain('pizza: 0');
  });

  test('ignores a deleted poll', async () => {
    const poll = await ask();
    await ann.reacts('1️⃣', poll);
    await ann.call('message.delete', { room: 'lunch', message: poll.id });
    await harness.clock.advance(86_400_000);
    expect(harness.room('lunch').transcript()[1]).toBe('poll: (deleted)');
    expect(harness.reports).toEqual([]);
  });

  test.each(['/poll', '/poll Lunch?', '/poll "Lunch?" pizza', '/poll a 1 2 3 4 5 6 7 8 9 10'])(
    'explains its usage for %s',
    async (text) => {
      await ann.says(text);
      await harness.settled();
      expect(shown().text).toMatch(/^Write a question and 2 to 9 answers/);
    },
  );
});
