import { randomInt } from 'node:crypto';

import { z } from 'zod';

import { Args, ChatBot, OnCommand } from '../kit/chat-bot.decorator.js';

const RollArgs = z
  .string()
  .default('')
  .transform((text) => (text === '' ? '1d6' : text))
  .pipe(z.string().regex(/^\d{0,2}d\d{1,4}$/i, 'Write the number of dice and sides, such as 2d6.'))
  .transform((text) => text.toLowerCase().split('d'))
  .transform(([count = '', sides = '']) => ({ count: Number(count || 1), sides: Number(sides) }))
  .refine(({ count, sides }) => count > 0 && sides > 1, 'Use 1 to 99 dice with 2 to 9999 sides.');
type RollArgs = z.infer<typeof RollArgs>;

/** Rolls dice. */
@ChatBot({ name: 'dice', about: 'Rolls dice.' })
export class DiceBot {
  @OnCommand('roll', { args: RollArgs, help: '/roll 2d6 rolls two dice of six sides.' })
  roll(@Args() { count, sides }: RollArgs): string {
    const rolled = Array.from({ length: count }, () => randomInt(1, sides + 1));
    const sum = rolled.reduce((total, one) => total + one, 0);
    return count === 1 ? `🎲 ${String(sum)}` : `🎲 ${rolled.join(' + ')} = ${String(sum)}`;
  }
}
