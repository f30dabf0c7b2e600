import { DiceBot } from '#src/bots/built-in/dice.bot.js';
import { HelpBot } from '#src/bots/built-in/help.bot.js';
import { RemindBot } from '#src/bots/built-in/remind.bot.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';

const MINUTE = 60_000;
/** Number of failures within a minute after which a bot rests. */
const FAILURES = 5;

describe.each(HARNESS_TRANSPORTS)('a direct room with a bot over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [DiceBot, HelpBot, RemindBot], transport });
    ann = await harness.room('home').user('ann');
  });

  afterEach(() => harness.close());

  async function findBot(name: string) {
    const { bots } = await ann.call('bot.status', {});
    const found = bots.find(({ bot }) => bot.name === name);
    if (found === undefined) throw new Error(`There is no bot ${name}.`);
    return found;
  }

  async function open(name: string) {
    const { bot } = await findBot(name);
    const { room } = await ann.call('dm.open', { user: bot.id });
    await harness.settled();
    return { room, bot };
  }

  /** Sends a text; returns the answers. */
  async function answersTo(room: string, text: string): Promise<string[]> {
    const { message } = await ann.call('message.send', { room, text });
    await harness.settled();
    const messages = harness.record.messages(room);
    return messages.filter(({ cause }) => cause === message.id).map((answer) => answer.text);
  }

  test('treats each text as addressed to the bot', async () => {
    const { room } = await open('dice');
    for (const text of ['/roll 1d2', 'roll 1d2', '@dice roll 1d2']) {
      expect(await answersTo(room, text)).toEqual([expect.stringMatching(/^🎲 [12]$/u)]);
    }
    expect(await answersTo(room, 'hello')).toEqual([]);
  });

  test.each(['/help', 'help', '@dice /HELP'])(
    'answers %s with the commands of the bot',
    async (text) => {
      const { room } = await open('dice');
      expect(await answersTo(room, text)).toEqual([
        '@dice: Rolls dice.\n  /roll 2d6 rolls two dice of six sides.',
      ]);
    },
  );

  test('shows only the help bot in its own direct room', async () => {
    const { room } = await open('help');
    const help = '@help: Lists the bots of a room and their commands.\n  /help dice shows one bot.';
    expect(await answersTo(room, '/help')).toEqual([help]);
    expect(await answersTo(room, 'what?')).toEqual([help]);
  });

  test('works after a restart', async () => {
    const { room } = await open('dice');
    await harness.restart();
    expect(await answersTo(room, 'roll 1d2')).toHaveLength(1);
  });

  test('does not make the bot rest for other users when a user blocks it', async () => {
    const { room, bot } = await open('remind');
    for (let i = 0; i < FAILURES; i++) {
      expect(await answersTo(room, `/remind in 1m tea ${String(i)}`)).toHaveLength(1);
    }
    await ann.call('user.block', { user: bot.id });
    await harness.clock.advance(MINUTE);
    await harness.settled();

    const reports = harness.reports.filter((report) => report.bot === 'remind');
    expect(new Set(reports.map(({ kind }) => kind))).toEqual(new Set(['denied']));
    expect((await findBot('remind')).state).toBe('active');
    const bob = await harness.room('home').user('bob');
    await bob.says('/remind list');
    await harness.settled();
    expect(harness.room('home').transcript().at(-1)).toMatch(/^remind: /u);
  });
});
