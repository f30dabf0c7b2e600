import { createBotHarness, type BotHarness } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import { Args, ChatBot, Ctx, OnCommand } from '#src/bots/kit/chat-bot.decorator.js';
import { ProtocolError } from '#src/protocol/errors.js';

@ChatBot({ name: 'keeper' })
class KeeperBot {
  @OnCommand('keep', { help: '/keep key' })
  keep(@Ctx() bot: BotContext, @Args() key: string): void {
    bot.state.room.set(key, 'x'.repeat(10));
  }

  @OnCommand('swap', { help: '/swap key for another' })
  swap(@Ctx() bot: BotContext, @Args() keys: string): void {
    const [old = '', key = ''] = keys.split(' ');
    bot.state.room.delete(old);
    bot.state.room.set(key, null);
  }

  @OnCommand('fill', { help: '/fill' })
  fill(@Ctx() bot: BotContext): void {
    bot.state.user.set('large', 'x'.repeat(19));
  }

  @OnCommand('change', { help: '/change so many keys' })
  change(@Ctx() bot: BotContext, @Args() count: string): void {
    for (let i = 0; i < Number(count); i++) bot.state.user.delete(String(i));
  }

  @OnCommand('wake', { help: '/wake time' })
  wake(@Ctx() bot: BotContext, @Args() at: string): void {
    bot.alarms.set('wake', Number(at));
  }

  @OnCommand('keys', { help: '/keys' })
  async keys(@Ctx() bot: BotContext): Promise<string> {
    const entries = await bot.state.room.list();
    return `keys: ${entries.map(({ key }) => key).join()}`;
  }

  @OnCommand('find', { help: '/find id' })
  async find(@Ctx() bot: BotContext, @Args() id: string): Promise<string> {
    return (await bot.find(id))?.text ?? 'nothing';
  }
}

describe('a bot inside the server', () => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    const settings = { PARLANCE_LIMIT_BOT_KEYS: '2', PARLANCE_LIMIT_BOT_VALUE_BYTES: '20' };
    harness = await createBotHarness({ bots: [KeeperBot], settings });
    ann = await harness.room('attic').user('ann');
  });

  afterEach(() => harness.close());

  /** Sends a text; returns the answer, or the error code of a failed handler. */
  async function answerTo(text: string): Promise<string | undefined> {
    const reported = harness.reports.length;
    await ann.says(text);
    await harness.settled();
    const [report] = harness.reports.slice(reported);
    if (report?.error instanceof ProtocolError) return report.error.code;
    expect(report).toBeUndefined();
    return harness.room('attic').messages().at(-1)?.text;
  }

  test('cannot exceed its number of keys', async () => {
    for (const key of ['a', 'b', 'a']) await answerTo(`/keep ${key}`);
    expect(await answerTo('/keep c')).toBe('limit_reached');
    await answerTo('/swap a c');
    expect(await answerTo('/keys')).toBe('keys: b,c');
  });

  test('cannot store values, keys or changes beyond the limits', async () => {
    expect(await answerTo('/fill')).toBe('limit_reached');
    expect(await answerTo(`/keep ${'x'.repeat(129)}`)).toBe('invalid');
    expect(await answerTo('/wake never')).toBe('invalid');
    expect(await answerTo('/change 65')).toBe('invalid');
    expect(await answerTo('/change 64')).toBe('/change 64');
    expect(await answerTo('/keys')).toBe('keys: ');
  });

  test('finds only messages that it may read', async () => {
    const secret = await ann.says('hello');
    const asked = await ann.says('@keeper hello');
    await harness.settled();
    expect(await answerTo(`/find ${secret.id}`)).toBe('nothing');
    expect(await answerTo(`/find ${asked.id}`)).toBe('@keeper hello');
    const own = harness.room('attic').messages().at(-1);
    expect(await answerTo(`/find ${own?.id ?? ''}`)).toBe('@keeper hello');
  });
});
