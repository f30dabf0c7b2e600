import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import { WelcomeBot } from '#src/bots/built-in/welcome.bot.js';

const TEXT_CHARS = DEFAULT_LIMITS.textChars;

describe.each(HARNESS_TRANSPORTS)('welcome over %s', (transport) => {
  let harness: BotHarness;
  let owner: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [WelcomeBot], transport });
    owner = await harness.room('den').user('ann');
  });

  afterEach(() => harness.close());

  const transcript = () => harness.room('den').transcript();

  async function answerTo(user: HarnessUser, text: string): Promise<string | undefined> {
    await user.says(text);
    await harness.settled();
    return transcript().at(-1);
  }

  test('passes the default checks', () => harness.defaultChecks());

  test('greets a newcomer once, with a notice', async () => {
    await harness.room('den').user('bob');
    harness.fault.redeliver();
    await harness.settled();
    expect(transcript()).toEqual(['welcome: Welcome, bob!']);
    expect(harness.room('den').messages()[0]?.kind).toBe('notice');
  });

  test('does not greet bots', async () => {
    await owner.call('bot.add', { room: 'den', bot: 'dice' });
    await harness.settled();
    expect(transcript()).toEqual([]);
  });

  test('greets with the text of the owner, even after a restart', async () => {
    const text = 'Hi {name}, "rules" first.\nEnjoy, {name}!';
    expect(await answerTo(owner, `/welcome set ${text}`)).toBe(
      `welcome: Newcomers will see: ${text}`,
    );
    await harness.restart();
    await harness.room('den').user('bob');
    expect(transcript().at(-1)).toBe('welcome: Hi bob, "rules" first.\nEnjoy, bob!');
    expect(await answerTo(owner, '/welcome')).toBe(`welcome: ${text}`);
  });

  test('inserts names with special characters unchanged', async () => {
    await answerTo(owner, '/welcome set Hi {name}, and {name}!');
    await harness.room('den').user("$' $& $`");
    expect(transcript().at(-1)).toBe("welcome: Hi $' $& $`, and $' $& $`!");
  });

  test('greets with the longest text that an owner can set', async () => {
    const start = '/welcome set {name}{name} ';
    const text = 'x'.repeat(TEXT_CHARS - start.length);
    const answer = await answerTo(owner, start + text);
    expect(answer).toMatch(/^welcome: Newcomers will see: .{3979}…$/);
    await harness.room('den').user('b'.repeat(32));
    expect(transcript().at(-1)).toMatch(/^welcome: b{64} x+…$/);
    expect(harness.reports).toEqual([]);
  });

  test('does not greet after /welcome off', async () => {
    expect(await answerTo(owner, '/welcome off')).toBe('welcome: Newcomers are no longer greeted.');
    await harness.room('den').user('bob');
    expect(transcript()).toHaveLength(2);
    expect(await answerTo(owner, '/welcome')).toBe('welcome: Newcomers are not greeted.');
  });

  test('lets only the owner change the text', async () => {
    const bob = await harness.room('den').user('bob');
    expect(await answerTo(bob, '/welcome set Go away')).toBe(
      'welcome: Only the room owner can change the greeting.',
    );
    expect(await answerTo(bob, '/welcome')).toBe('welcome: Welcome, {name}!');
  });

  test.each(['/welcome set', '/welcome sometimes'])('explains its usage for %s', async (text) => {
    expect(await answerTo(owner, text)).toMatch(/^welcome: Write \/welcome set and a text/);
  });
});

test('welcome accepts another default text', async () => {
  const harness = await createBotHarness({ bots: [new WelcomeBot({ text: 'Ahoy {name}' })] });
  await harness.room('ship').user('ann');
  await harness.room('ship').user('bob');
  expect(harness.room('ship').transcript()).toEqual(['welcome: Ahoy bob']);
  await harness.close();
});
