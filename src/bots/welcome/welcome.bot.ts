import { Optional } from '@nestjs/common';
import { z } from 'zod';

import type { BotContext } from '../runtime/bot-context.js';
import type { BotReply } from '../runtime/bot-reply.js';
import { Args, ChatBot, Ctx, OnCommand, OnRoom } from '../runtime/chat-bot.decorator.js';

const USAGE = 'Say /welcome set and a text, /welcome off, or /welcome to see the text.';
const WelcomeArgs = z.string().regex(/^(set\s+\S[^]*|off|)$/i, USAGE);

/** How the bot greets where no owner has said it otherwise. */
export interface WelcomeOptions {
  /** `{name}` stands for the newcomer. */
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
    if (args === '') return (await this.textFor(bot)) || 'Nobody is greeted here.';
    if (!(await bot.isByOwner())) return 'Only the owner of the room changes the greeting.';
    const text = args.replace(/^(set\s+|off$)/i, '');
    bot.state.room.set('text', text);
    return text === '' ? 'Nobody is greeted any more.' : `Newcomers will read: ${text}`;
  }

  private async textFor(bot: BotContext): Promise<string> {
    return (await bot.state.room.get<string>('text')) ?? this.text;
  }
}
