import { DiceBot } from '#src/bots/built-in/dice.bot.js';
import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';

describe.each(HARNESS_TRANSPORTS)('dice over %s', (transport) => {
  let harness: BotHarness;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [DiceBot], transport });
  });

  afterEach(() => harness.close());

  async function answerTo(text: string): Promise<string> {
    const room = harness.room('games');
    await (await room.user('ann')).says(text);
    await harness.settled();
    return room.transcript().at(-1) ?? '';
  }

  test('passes the default checks', () => harness.defaultChecks());

  test.each([
    ['/roll', /^dice: 🎲 [1-6]$/u],
    ['/roll d20', /^dice: 🎲 (1?\d|20)$/u],
    ['/roll 3D6', /^dice: 🎲 [1-6] \+ [1-6] \+ [1-6] = \d+$/u],
    ['@dice roll 2d2', /^dice: 🎲 [12] \+ [12] = [234]$/u],
  ])('answers %s', async (text, answer) => {
    expect(await answerTo(text)).toMatch(answer);
  });

  test.each(['/roll many', '/roll 0d6', '/roll 1d1', '/roll 2d6 3d6'])(
    'explains what is wrong with %s',
    async (text) => {
      expect(await answerTo(text)).toMatch(/^dice: (Write the number of dice|Use 1 to 99)/);
      expect(harness.reports).toEqual([]);
    },
  );

  test('shows the sum of the dice', async () => {
    const [, dice = '', sum] = /🎲 (.*) = (\d+)/u.exec(await answerTo('/roll 9d9')) ?? [];
    expect(dice.split(' + ').reduce((total, one) => total + Number(one), 0)).toBe(Number(sum));
  });
});
