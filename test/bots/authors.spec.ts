import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import { ChatBot, Ctx, OnAlarm, OnCommand, OnRoom } from '#src/bots/kit/chat-bot.decorator.js';

@ChatBot({
  name: 'census',
  scopes: ['messages:addressed', 'messages:write', 'members:read', 'reactions:read'],
})
class CensusBot {
  @OnRoom('reaction.added')
  reacted(@Ctx() bot: BotContext): Promise<string> {
    return this.count(bot, 'reacted');
  }

  @OnRoom('member.left')
  left(@Ctx() bot: BotContext): Promise<string> {
    return this.count(bot, 'left');
  }

  @OnCommand('wake', { help: '/wake' })
  wake(@Ctx() bot: BotContext): void {
    bot.state.room.set('n', 'of the room');
    bot.alarms.set('wake', bot.now + 1_000);
  }

  @OnAlarm()
  woken(@Ctx() bot: BotContext): Promise<string> {
    return this.count(bot, 'woken');
  }

  private async count({ author, state }: BotContext, what: string): Promise<string> {
    const n = ((await state.user.get<number>('n')) ?? 0) + 1;
    state.user.set('n', n);
    return `${author?.name ?? 'nobody'} ${what}, ${String(n)}`;
  }
}

describe.each(HARNESS_TRANSPORTS)('the author of an event over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [CensusBot], transport });
    ann = await harness.room('hall').user('ann');
  });

  afterEach(() => harness.close());

  test('is known even if the author has left', async () => {
    const bob = await harness.room('hall').user('bob');
    const message = await ann.says('look');
    await Promise.all([bob.reacts('👀', message), bob.leaves()]);
    await harness.settled();
    expect(harness.room('hall').transcript()).toEqual([
      'ann: look',
      'census: bob reacted, 1',
      'census: bob left, 2',
    ]);
    expect(harness.reports).toEqual([]);
  });

  test('is required for the state of the user', async () => {
    await ann.says('/wake');
    await harness.settled();
    await harness.clock.advance(1_000);
    const [report] = harness.reports;
    expect(report).toMatchObject({ kind: 'error', handler: 'woken' });
    expect(String(report?.error)).toMatch(/^NoAuthorError: state\.user is not available/);
  });
});
