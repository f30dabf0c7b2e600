import type { Provider, Type } from '@nestjs/common';

import { BotSetupError, type BotOptions } from './bot-definition.js';
import { BOT_OPTIONS } from './chat-bot.decorator.js';

/** A class marked with `@ChatBot`, or an instance of one. */
export type BotSource = Type | object;

/**
 * Returns the Nest provider of a bot.
 *
 * An instance replaces its class, so that an app can configure a built-in bot.
 */
export function toProvider(bot: BotSource): Provider {
  return typeof bot === 'function' ? (bot as Type) : { provide: bot.constructor, useValue: bot };
}

/**
 * Returns the options of a bot's `@ChatBot` decorator.
 *
 * @throws BotSetupError if the class has none
 */
export function optionsOf(bot: BotSource): BotOptions {
  const type = typeof bot === 'function' ? bot : bot.constructor;
  const options = Reflect.getMetadata(BOT_OPTIONS, type) as BotOptions | undefined;
  if (options !== undefined) return options;
  throw new BotSetupError(`${type.name} is not a bot: decorate the class with @ChatBot(…).`);
}
