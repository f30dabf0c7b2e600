import type { Type } from '@nestjs/common';

import { BotSetupError, type BotDefinition } from './bot-definition.js';

/** A bot that the app provides. */
export interface FoundBot extends BotDefinition {
  readonly type: Type;
}

/** Bots that may be left out. */
export interface OptionalBots {
  /** Bots that ship with the server. */
  readonly builtIn: readonly Type[];
  /** Names of built-in bots that are left out. */
  readonly without: readonly string[];
}

interface Candidate extends FoundBot {
  readonly isBuiltIn: boolean;
}

/**
 * Returns the bots to run: all except the built-in bots that are left out, or whose name a bot of
 * the app uses.
 *
 * @throws BotSetupError for bots with the same name or command
 */
export function chooseBots(
  all: readonly FoundBot[],
  optional: OptionalBots = { builtIn: [], without: [] },
): FoundBot[] {
  const { without } = optional;
  const found = all.map((bot) => ({ ...bot, isBuiltIn: optional.builtIn.includes(bot.type) }));
  const builtIn = found.filter((bot) => bot.isBuiltIn).map(({ name }) => name);
  for (const name of without) {
    if (builtIn.includes(name)) continue;
    throw new BotSetupError(
      `PARLANCE_WITHOUT_BOTS names ${name}, which is not a built-in bot: use ${builtIn.join(', ')}.`,
    );
  }
  const own = found.filter((bot) => !bot.isBuiltIn);
  const replaced = new Set([...without, ...own.map(({ name }) => name)]);
  const chosen = found.filter(({ isBuiltIn, name }) => !isBuiltIn || !replaced.has(name));
  refuseSameNames(chosen);
  refuseSameCommands(chosen);
  return chosen;
}

function refuseSameNames(bots: readonly Candidate[]): void {
  const names = new Set<string>();
  for (const { name } of bots) {
    if (names.has(name)) throw new BotSetupError(`Two bots are named ${name}: rename one of them.`);
    names.add(name);
  }
}

function refuseSameCommands(bots: readonly Candidate[]): void {
  const owners = new Map<string, Candidate>();
  for (const bot of bots) {
    for (const { options } of bot.handlers) {
      if (options.on !== 'command') continue;
      const other = owners.get(options.name);
      if (other !== undefined) throw new BotSetupError(adviceFor(options.name, [other, bot]));
      owners.set(options.name, bot);
    }
  }
}

function adviceFor(command: string, [one, other]: readonly [Candidate, Candidate]): string {
  const collision = `The command /${command} belongs to the bot ${one.name} and to ${other.name}`;
  const builtIn = [one, other].find(({ isBuiltIn }) => isBuiltIn)?.name;
  if (builtIn === undefined) return `${collision}: rename one of them.`;
  return (
    `${collision}, and ${builtIn} ships with the server: rename your command, ` +
    `or leave that bot out with PARLANCE_WITHOUT_BOTS=${builtIn}.`
  );
}
