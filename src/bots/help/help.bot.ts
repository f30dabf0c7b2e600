import { z } from 'zod';

import type { BotContext } from '../runtime/bot-context.js';
import { Args, ChatBot, Ctx, Fallback, OnCommand } from '../runtime/chat-bot.decorator.js';
import { describeBot } from '../runtime/describe-bot.js';

const HelpArgs = z.object({ bot: z.string().optional() });
type HelpArgs = z.infer<typeof HelpArgs>;

/** Tells what the bots of a room can do. */
@ChatBot({ name: 'help', about: 'Tells what the bots here can do.' })
export class HelpBot {
  @OnCommand('help', { args: HelpArgs, help: '/help dice tells what a bot can do.' })
  async help(@Ctx() context: BotContext, @Args() { bot }: HelpArgs): Promise<string> {
    const bots = await context.bots();
    if (bot === undefined) return bots.map(describeBot).join('\n');
    const found = bots.find(({ name }) => name === bot.replace(/^@/, '').toLowerCase());
    if (found !== undefined) return describeBot(found);
    return `There is no bot ${bot} here, but ${bots.map(({ name }) => name).join(', ')}.`;
  }

  @Fallback()
  list(@Ctx() context: BotContext): Promise<string> {
    return this.help(context, {});
  }
}
