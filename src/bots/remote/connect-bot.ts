import { NestFactory } from '@nestjs/core';

import { BotClock } from '../runtime/bot-clock.js';
import { BotExplorer } from '../runtime/bot-explorer.js';
import { BotSetupError, type BotDefinition } from '../runtime/bot-manifest.js';
import { BotReporter } from '../runtime/bot-reporter.js';
import { optionsOf } from '../runtime/bot-source.js';
import { chooseBots } from '../runtime/choose-bots.js';
import { BotProgramModule } from './bot-program.module.js';
import { BotProgram } from './bot-program.js';
import type { ConnectBotOptions } from './connect-bot-options.js';
import { RemoteBot } from './remote-bot.js';

type Entry = readonly [string, RemoteBot];

/**
 * Runs bots in this program, connected to a server by the token of each.
 *
 * Resolves as soon as they begin to connect; they come back whenever the connection is lost.
 *
 * @throws BotSetupError for a bot that cannot work, or one without a token
 * @throws TypeError if `url` is no address
 */
export async function connectBot(options: ConnectBotOptions): Promise<BotProgram> {
  const { bots, providers = [], logger = ['fatal', 'error', 'warn'] } = options;
  for (const bot of bots) optionsOf(bot);
  const module = BotProgramModule.of(bots, providers);
  const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
  const begun: Entry[] = [];
  try {
    const tools = { clock: app.get(BotClock), reporter: app.get(BotReporter) };
    const found = app.get(BotExplorer).explore((report) => tools.reporter.report(report));
    const all = chooseBots(found);
    if (all.length === 0) throw new BotSetupError('There is no bot to connect: name it in bots.');
    const tokens = all.map((bot) => tokenOf(bot, all, options.token));
    for (const [index, bot] of all.entries()) {
      const settings = settingsOf(options, tokens[index] ?? '');
      begun.push([bot.name, new RemoteBot(bot, settings, tools)]);
    }
  } catch (error) {
    await new BotProgram(app, new Map(begun)).close();
    throw error;
  }
  return new BotProgram(app, new Map(begun));
}

function settingsOf(options: ConnectBotOptions, token: string) {
  const { url, transport, socketIo, connectTimeoutMs, returnDelays } = options;
  const { mode, from, inFlight, onStatus = () => undefined } = options;
  return {
    connecting: { token, ...given({ url, transport, socketIo, connectTimeoutMs, returnDelays }) },
    hello: given({ mode, from, inFlight }),
    onStatus,
  };
}

function tokenOf(
  { name }: BotDefinition,
  all: readonly BotDefinition[],
  token: ConnectBotOptions['token'],
): string {
  if (typeof token !== 'string') {
    if (token[name] !== undefined && token[name] !== '') return token[name];
    throw new BotSetupError(`There is no token for the bot ${name}: give { ${name}: 'pbt_…' }.`);
  }
  if (token === '') throw new BotSetupError(`The token of the bot ${name} is empty.`);
  if (all.length === 1) return token;
  const example = all.map((bot) => `${bot.name}: 'pbt_…'`).join(', ');
  throw new BotSetupError(`One token is that of one bot: give { ${example} }.`);
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Leaves out what was not given. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
