import { DiceBot } from '#src/bots/built-in/dice.bot.js';
import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import { HelpBot } from '#src/bots/built-in/help.bot.js';

describe.each(HARNESS_TRANSPORTS)('help over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [HelpBot, DiceBot], transport });
    ann = await harness.room('general').user('ann');
  });

  afterEach(() => harness.close());

  async function answerTo(text: string): Promise<string[]> {
    await ann.says(text);
    await harness.settled();
    return (harness.room('general').transcript().at(-1) ?? '').split('\n');
  }

  test('passes the default checks', () => harness.defaultChecks());

  test('lists the bots of the room with their commands', async () => {
    expect(await answerTo('/help')).toEqual([
      'help: @dice: Rolls dice.',
      '  /roll 2d6 rolls two dice of six sides.',
      '@help: Lists the bots of a room and their commands.',
      '  /help dice shows one bot.',
    ]);
  });

  test('does not list a removed bot', async () => {
    const owner = await harness.room('ops').user('ann');
    await owner.call('bot.remove', { room: 'ops', bot: 'dice' });
    await owner.says('@help');
    await harness.settled();
    expect(harness.room('ops').transcript().at(-1)).not.toContain('dice:');
  });

  test.each(['/help dice', '/help @DICE', '@help help dice'])('answers %s', async (text) => {
    expect(await answerTo(text)).toEqual([
      'help: @dice: Rolls dice.',
      '  /roll 2d6 rolls two dice of six sides.',
    ]);
  });

  test('names the bots of the room if a bot is unknown', async () => {
    expect(await answerTo('/help poll')).toEqual([
      'help: There is no bot poll here. The bots are dice, help.',
    ]);
  });
});
