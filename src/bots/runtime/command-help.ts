import { argumentNames } from './bot-arguments.js';
import type { BotDefinition } from './bot-manifest.js';

/** A command of a bot as people are told of it. */
export interface CommandHelp {
  readonly name: string;
  readonly help: string;
  readonly args: readonly string[];
}

/** Gives the commands of a bot, for help and completion (P-13.5). */
export function helpOf({ handlers }: BotDefinition): CommandHelp[] {
  return handlers.flatMap(({ options }) => {
    if (options.on !== 'command') return [];
    const { name, help, args } = options;
    return [{ name, help, args: args === undefined ? [] : argumentNames(args) }];
  });
}
