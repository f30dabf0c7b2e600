import { Optional } from '@nestjs/common';
import { z } from 'zod';

import type { BotContext } from '../kit/bot-context.js';
import type { BotReply } from '../kit/bot-reply.js';
import { Args, ChatBot, Ctx, OnCommand, OnRoom } from '../kit/chat-bot.decorator.js';

const USAGE = 'Write /welcome set and a text, /welcome off, or /welcome to see the text.';
const WelcomeArgs = z.string().regex(/^(set\s+\S[^]*|off|)$/i, USAGE);

/** Options of the bot. */
export interface WelcomeOptions {
  /** The default greeting; `{name}` is replaced by the name of the newcomer. */
  readonly text?: string;
}

/** Greets people who join a room. */
@ChatBot({
  name: 'welcome',
  about: 'Greets newcomers.',
  scopes: ['messages:addressed', 'messages:write', 'members:read'],
})
export class WelcomeBot {
  private readonly text: string;

  constructor(@Optional() { text = 'Welcome, {name}!' }: WelcomeOptions = {}) {
    this.text = text;
  }

  @OnRoom('member.joined')
  async greet(@Ctx() bot: BotContext): Promise<BotReply> {
    const text = await this.textFor(bot);
    return { text: text.replaceAll('{name}', () => bot.author?.name ?? ''), notice: true };
  }

  @OnCommand('welcome', {
    args: WelcomeArgs,
    help: '/welcome set Hello {name}! changes how newcomers are greeted; /welcome off ends it.',
  })
  async change(@Ctx() bot: BotContext, @Args() args: string): Promise<string> {
    if (args === '') return (await this.textFor(bot)) || 'Newcomers are not greeted.';
    if (!(await bot.isAuthorOwner())) return 'Only the room owner can change the greeting.';
    const text = args.replace(/^(set\s+|off$)/i, '');
    bot.state.room.set('text', text);
    return text === '' ? 'Newcomers are no longer greeted.' : `Newcomers will see: ${text}`;
  }

  private async textFor(bot: BotContext): Promise<string> {
    return (await bot.state.room.get<string>('text')) ?? this.text;
  }
}
