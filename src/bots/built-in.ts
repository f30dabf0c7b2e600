import type { Type } from '@nestjs/common';

import { DiceBot } from './dice/dice.bot.js';
import { HelpBot } from './help/help.bot.js';
import { PollBot } from './poll/poll.bot.js';
import { RemindBot } from './remind/remind.bot.js';
import type { BotOptions } from './runtime/bot-manifest.js';
import { BOT_OPTIONS } from './runtime/chat-bot.decorator.js';
import { WelcomeBot } from './welcome/welcome.bot.js';

/** Bots that come with the server; owners of rooms add those that they want. */
export const BUILT_IN_BOTS: readonly Type[] = [DiceBot, HelpBot, PollBot, RemindBot, WelcomeBot];

/** Gives the names of the bots that come with the server. */
export function builtInNames(): string[] {
  return BUILT_IN_BOTS.map((type) => (Reflect.getMetadata(BOT_OPTIONS, type) as BotOptions).name);
}
