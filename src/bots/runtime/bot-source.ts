import type { Provider, Type } from '@nestjs/common';

import { BotSetupError, type BotOptions } from './bot-manifest.js';
import { BOT_OPTIONS } from './chat-bot.decorator.js';

/** A class marked with `@ChatBot`, or an instance of one. */
export type BotSource = Type | object;

/**
 * Gives a bot as Nest takes it.
 *
 * An instance takes the place of its class, so that one of a built-in bot can be set up anew.
 */
export function toProvider(bot: BotSource): Provider {
  return typeof bot === 'function' ? (bot as Type) : { provide: bot.constructor, useValue: bot };
}

/**
 * Gives what the decorator says of a bot.
 *
 * @throws BotSetupError if the class has none
 */
export function optionsOf(bot: BotSource): BotOptions {
  const type = typeof bot === 'function' ? bot : bot.constructor;
  const options = Reflect.getMetadata(BOT_OPTIONS, type) as BotOptions | undefined;
  if (options !== undefined) return options;
  throw new BotSetupError(`${type.name} is no bot: mark the class with @ChatBot(…).`);
}
