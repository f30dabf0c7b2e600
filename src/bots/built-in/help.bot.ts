import { z } from 'zod';

import type { BotContext } from '../kit/bot-context.js';
import { Args, ChatBot, Ctx, Fallback, OnCommand } from '../kit/chat-bot.decorator.js';
import { describeBot } from '../kit/command-help.js';

const HelpArgs = z.object({ bot: z.string().optional() });
type HelpArgs = z.infer<typeof HelpArgs>;

/** Lists the bots of a room and their commands. */
@ChatBot({ name: 'help', about: 'Lists the bots of a room and their commands.' })
export class HelpBot {
  @OnCommand('help', { args: HelpArgs, help: '/help dice shows one bot.' })
  async help(@Ctx() context: BotContext, @Args() { bot }: HelpArgs): Promise<string> {
    const bots = await context.bots();
    if (bot === undefined) return bots.map(describeBot).join('\n');
    const found = bots.find(({ name }) => name === bot.replace(/^@/, '').toLowerCase());
    if (found !== undefined) return describeBot(found);
    return `There is no bot ${bot} here. The bots are ${bots.map(({ name }) => name).join(', ')}.`;
  }

  @Fallback()
  list(@Ctx() context: BotContext): Promise<string> {
    return this.help(context, {});
  }
}
