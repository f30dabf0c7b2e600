import type { Type } from '@nestjs/common';

import { DiceBot } from './dice/dice.bot.js';

/** Bots that come with the server; owners of rooms add those that they want. */
export const BUILT_IN_BOTS: readonly Type[] = [DiceBot];
