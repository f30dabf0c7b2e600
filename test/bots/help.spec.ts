import { DiceBot } from '#src/bots/dice/dice.bot.js';
import { createBotHarness, type BotHarness } from '#src/harness/index.js';
import type { HarnessUser } from '#src/harness/harness-user.js';
import { HelpBot } from '#src/bots/help/help.bot.js';

import { OVER } from './over.js';

describe.each(OVER)('help over %s', (over) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [HelpBot, DiceBot], over });
    ann = await harness.room('general').user('ann');
  });

  afterEach(() => harness.close());

  async function answerTo(text: string): Promise<string[]> {
    await ann.says(text);
    await harness.settled();
    return (harness.room('general').transcript().at(-1) ?? '').split('\n');
  }

  test('stands what every bot must', () => harness.defaultChecks());

  test('lists the bots of the room with their commands, and no others', async () => {
    expect(await answerTo('/help')).toEqual([
      'help: @dice: Rolls dice.',
      '  /roll 2d6 rolls two dice of six sides.',
      '@help: Tells what the bots here can do.',
      '  /help dice tells what a bot can do.',
    ]);
  });

  test('lists no bot that was removed', async () => {
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

  test('names the bots that there are for one that is not here', async () => {
    expect(await answerTo('/help poll')).toEqual([
      'help: There is no bot poll here, but dice, help.',
    ]);
  });
});
