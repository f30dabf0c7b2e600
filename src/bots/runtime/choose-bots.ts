import type { Type } from '@nestjs/common';

import { BotSetupError, type BotDefinition } from './bot-manifest.js';

/** A bot that the app has. */
export interface FoundBot extends BotDefinition {
  readonly type: Type;
}

/** What of the bots is given up for others. */
export interface Yielding {
  /** Bots that come with the server. */
  readonly builtIn: readonly Type[];
  /** Names of those that are left out. */
  readonly without: readonly string[];
}

interface Candidate extends FoundBot {
  readonly isBuiltIn: boolean;
}

/**
 * Chooses the bots that run: all but the built-in ones that are left out, or whose name a bot of
 * the app has.
 *
 * @throws BotSetupError for bots that are in each other's way
 */
export function chooseBots(
  all: readonly FoundBot[],
  yielding: Yielding = { builtIn: [], without: [] },
): FoundBot[] {
  const { without } = yielding;
  const found = all.map((bot) => ({ ...bot, isBuiltIn: yielding.builtIn.includes(bot.type) }));
  const builtIn = found.filter((bot) => bot.isBuiltIn).map(({ name }) => name);
  for (const name of without) {
    if (builtIn.includes(name)) continue;
    throw new BotSetupError(
      `PARLANCE_WITHOUT_BOTS names ${name}, which is no built-in bot: use ${builtIn.join(', ')}.`,
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
  if (builtIn === undefined) return `${collision}: give one of them another name.`;
  return (
    `${collision}, and ${builtIn} comes with the server: give your command another name, ` +
    `or leave that bot out by PARLANCE_WITHOUT_BOTS=${builtIn}.`
  );
}
