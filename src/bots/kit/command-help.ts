import { argumentNames } from './bot-arguments.js';
import type { BotDefinition } from './bot-definition.js';
import type { RoomBot } from './bot-host.js';

/** A command of a bot, as `/help` and completion show it. */
export interface BotCommandHelp {
  readonly name: string;
  readonly help: string;
  readonly args: readonly string[];
}

/** Returns the commands of a bot, for help and completion (P-13.5). */
export function commandsOf({ handlers }: BotDefinition): BotCommandHelp[] {
  return handlers.flatMap(({ options }) => {
    if (options.on !== 'command') return [];
    const { name, help, args } = options;
    return [{ name, help, args: args === undefined ? [] : argumentNames(args) }];
  });
}

/** Describes a bot and its commands, one per line. */
export function describeBot({ name, about, commands }: RoomBot): string {
  const lines = commands.map((command) => {
    const usage = `/${command.name}`;
    return command.help.startsWith(usage) ? command.help : `${usage}: ${command.help}`;
  });
  return [`@${name}: ${about}`, ...lines.map((line) => `  ${line}`)].join('\n');
}
