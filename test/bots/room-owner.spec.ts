import { createBotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { BotContext } from '#src/bots/kit/bot-context.js';
import { ChatBot, Ctx, OnCommand, OnRoom } from '#src/bots/kit/chat-bot.decorator.js';

@ChatBot({ name: 'usher', scopes: ['messages:addressed', 'messages:write', 'members:read'] })
class UsherBot {
  @OnCommand('who', { help: '/who says who you are' })
  answer(@Ctx() bot: BotContext): Promise<string> {
    return describeAuthor(bot);
  }

  @OnRoom('member.left')
  announce(@Ctx() bot: BotContext): Promise<string> {
    return describeAuthor(bot);
  }
}

async function describeAuthor(bot: BotContext): Promise<string> {
  const isOwner = await bot.isAuthorOwner();
  return `${bot.author?.name ?? 'nobody'} is ${isOwner ? 'the owner' : 'a guest'}`;
}

test.each(HARNESS_TRANSPORTS)('an owner who leaves stays the owner, over %s', async (transport) => {
  const harness = await createBotHarness({ bots: [UsherBot], transport });
  try {
    const room = harness.room('hall');
    const ann = await room.user('ann');
    const bob = await room.user('bob');
    for (const user of [ann, bob]) await user.says('/who');
    await harness.settled();
    await ann.leaves();
    await harness.settled();
    await bob.leaves();
    await harness.settled();

    expect(room.transcript().filter((line) => line.startsWith('usher:'))).toEqual([
      'usher: ann is the owner',
      'usher: bob is a guest',
      'usher: ann is the owner',
      'usher: bob is a guest',
    ]);
  } finally {
    await harness.close();
  }
});
