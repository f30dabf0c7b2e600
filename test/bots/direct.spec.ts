import { DiceBot } from '#src/bots/dice/dice.bot.js';
import { HelpBot } from '#src/bots/help/help.bot.js';
import { RemindBot } from '#src/bots/remind/remind.bot.js';
import type { HarnessUser } from '#src/harness/harness-user.js';
import { createBotHarness, type BotHarness } from '#src/harness/index.js';

import { OVER } from './over.js';

const MINUTE = 60_000;
/** So many failures within a minute have a bot rest. */
const FAILURES = 5;

describe.each(OVER)('a direct room with a bot over %s', (over) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [DiceBot, HelpBot, RemindBot], over });
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

  /** Says something there; gives what was answered. */
  async function answersTo(room: string, text: string): Promise<string[]> {
    const { message } = await ann.call('message.send', { room, text });
    await harness.settled();
    const messages = harness.record.messages(room);
    return messages.filter(({ cause }) => cause === message.id).map((answer) => answer.text);
  }

  test('takes each text as one to the bot', async () => {
    const { room } = await open('dice');
    for (const text of ['/roll 1d2', 'roll 1d2', '@dice roll 1d2']) {
      expect(await answersTo(room, text)).toEqual([expect.stringMatching(/^🎲 [12]$/u)]);
    }
    expect(await answersTo(room, 'hello')).toEqual([]);
  });

  test.each(['/help', 'help', '@dice /HELP'])('is told what the bot can do: %s', async (text) => {
    const { room } = await open('dice');
    expect(await answersTo(room, text)).toEqual([
      '@dice: Rolls dice.\n  /roll 2d6 rolls two dice of six sides.',
    ]);
  });

  test('lists that one bot, if it is the one for help', async () => {
    const { room } = await open('help');
    const help = '@help: Tells what the bots here can do.\n  /help dice tells what a bot can do.';
    expect(await answersTo(room, '/help')).toEqual([help]);
    expect(await answersTo(room, 'what?')).toEqual([help]);
  });

  test('goes on after a restart', async () => {
    const { room } = await open('dice');
    await harness.restart();
    expect(await answersTo(room, 'roll 1d2')).toHaveLength(1);
  });

  test('harms the bot for nobody else when its user blocks it', async () => {
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
