import { NestFactory } from '@nestjs/core';

import { BotClock } from '../kit/bot-clock.js';
import { BotExplorer } from '../kit/bot-explorer.js';
import { BotSetupError, type BotDefinition } from '../kit/bot-definition.js';
import { BotReporter } from '../kit/bot-reporter.js';
import { IdleTracker } from '../kit/idle-tracker.js';
import { optionsOf } from '../kit/bot-source.js';
import { chooseBots } from '../kit/choose-bots.js';
import { BotProgramModule } from './bot-program.module.js';
import { BotProgram } from './bot-program.js';
import type { ConnectBotOptions } from './connect-bot-options.js';
import { StandaloneBot } from './standalone-bot.js';

type Entry = readonly [string, StandaloneBot];

/**
 * Runs bots in this program, each connected to a server with its own token.
 *
 * Resolves when they start to connect; they reconnect whenever the connection is lost.
 *
 * @throws BotSetupError for a bot that cannot work, or has no token
 * @throws TypeError if `url` is invalid
 */
export async function connectBot(options: ConnectBotOptions): Promise<BotProgram> {
  const { bots, imports = [], providers = [], logger = ['fatal', 'error', 'warn'] } = options;
  for (const bot of bots) optionsOf(bot);
  const module = BotProgramModule.register(bots, imports, providers);
  const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
  const started: Entry[] = [];
  try {
    const tools = {
      clock: app.get(BotClock),
      reporter: app.get(BotReporter),
      idle: app.get(IdleTracker),
    };
    const found = app.get(BotExplorer).explore((report) => tools.reporter.report(report));
    const all = chooseBots(found);
    if (all.length === 0) throw new BotSetupError('There is no bot to connect: add one to `bots`.');
    const tokens = all.map((bot) => tokenOf(bot, all, options.token));
    for (const [index, bot] of all.entries()) {
      const settings = settingsOf(options, tokens[index] ?? '');
      started.push([bot.name, new StandaloneBot(bot, settings, tools)]);
    }
  } catch (error) {
    await new BotProgram(app, new Map(started)).close();
    throw error;
  }
  return new BotProgram(app, new Map(started));
}

function settingsOf(options: ConnectBotOptions, token: string) {
  const { url, transport, socketIo, connectTimeoutMs, reconnectDelays } = options;
  const { mode, from, inFlight, onStatus = () => undefined } = options;
  return {
    connecting: {
      token,
      ...defined({ url, transport, socketIo, connectTimeoutMs, reconnectDelays }),
    },
    hello: defined({ mode, from, inFlight }),
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
    throw new BotSetupError(`There is no token for the bot ${name}: pass { ${name}: 'pbt_…' }.`);
  }
  if (token === '') throw new BotSetupError(`The token of the bot ${name} is empty.`);
  if (all.length === 1) return token;
  const example = all.map((bot) => `${bot.name}: 'pbt_…'`).join(', ');
  throw new BotSetupError(`A token belongs to one bot: pass { ${example} }.`);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Omits undefined values. */
function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
