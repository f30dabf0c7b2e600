import type { Type } from '@nestjs/common';

import { optionsOf } from '../kit/bot-source.js';
import { DiceBot } from './dice.bot.js';
import { HelpBot } from './help.bot.js';
import { PollBot } from './poll.bot.js';
import { RemindBot } from './remind.bot.js';
import { WelcomeBot } from './welcome.bot.js';

/** Bots that ship with the server; room owners add the ones they want. */
export const BUILT_IN_BOTS: readonly Type[] = [DiceBot, HelpBot, PollBot, RemindBot, WelcomeBot];

/** Names of the bots that ship with the server. */
export const BUILT_IN_BOT_NAMES: readonly string[] = BUILT_IN_BOTS.map(
  (type) => optionsOf(type).name,
);
