import type { AddressInfo, Server } from 'node:net';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { BotSetupError } from '../bots/kit/bot-definition.js';
import { loadBots } from '../bots/server/loading/load-bots.js';
import { readConfig, type Config } from '../config/config.js';
import { StartError } from '../config/start-error.js';
import { DialectSetupError } from '../dialects/define-dialect.js';
import { loadDialects } from '../dialects/load-dialects.js';
import { ParlanceAdapter } from '../transports/parlance.adapter.js';
import { toListenError } from './listen-error.js';
import { PinoLogger } from './logger.js';
import { standaloneModule } from './standalone.js';
import { welcomeText } from './welcome-text.js';

const STOP_MS = 30_000;
const PARENT_CHECK_MS = 500;
/** A terminal sends SIGHUP when it closes, and npm forwards it. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Runs the standalone server until a signal stops it.
 *
 * @throws StartError if the operator can fix what prevents the start
 */
export async function runServer(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const config = readConfig(env);
  const logger = new PinoLogger(config.logLevel);
  const app = await createApp(config, logger).catch(throwAsStartError);
  const stop = stopOnSignals(app, logger);
  if (env['npm_lifecycle_event'] !== undefined) stopAfterParent(stop);
  // An unhandled rejection in a bot must not end the chat for everyone.
  process.on('unhandledRejection', (error) => {
    logger.error({ msg: 'Unhandled rejection', err: error }, 'Main');
  });
  // Nest initializes the modules, and with them the bots, when the app starts to listen.
  const address = await listen(app, config).catch(throwAsStartError);
  logger.log({ msg: 'listening', ...address }, 'Main');
  // Standard output that is not a terminal carries the log and nothing else.
  const forPeople = process.stdout.isTTY ? process.stdout : process.stderr;
  forPeople.write(welcomeText(address, config));
}

async function createApp(config: Config, logger: PinoLogger): Promise<NestExpressApplication> {
  const folder = process.cwd();
  const bots = await loadBots(config.botFiles, folder);
  const dialects = await loadDialects(config.dialectFiles, folder);
  const module = standaloneModule(config, { bots, dialects });
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger,
    abortOnError: false,
    // Requests that never end must not delay the stop; the chat is drained first.
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.useWebSocketAdapter(new ParlanceAdapter(app));
  return app;
}

/** Closes the app and exits on the first signal. Returns a function that does the same. */
function stopOnSignals(app: NestExpressApplication, logger: PinoLogger): (cause: string) => void {
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) return;
    isStopping = true;
    logger.log({ msg: 'stopping', signal }, 'Main');
    // Exits if the stop hangs, because a service manager waits for the process.
    setTimeout(() => process.exit(1), STOP_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ msg: 'Stopping failed', err: error }, 'Main');
        process.exit(1);
      },
    );
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  return stop;
}

/** Stops when npm exits: npm forwards SIGTERM and SIGINT, but any other signal ends npm alone. */
function stopAfterParent(stop: (cause: string) => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop('npm exited');
  }, PARENT_CHECK_MS);
  timer.unref();
}

async function listen(app: NestExpressApplication, config: Config): Promise<AddressInfo> {
  const { port, host } = config;
  try {
    if (host === undefined) await app.listen(port);
    else await app.listen(port, host);
  } catch (error) {
    throw toListenError(error, config);
  }
  return (app.getHttpServer() as Server).address() as AddressInfo;
}

/**
 * Rethrows a setup error of the operator's bots or dialects as a {@link StartError}, and any other
 * error unchanged.
 */
function throwAsStartError(error: unknown): never {
  const isOfBot = error instanceof BotSetupError;
  if (!isOfBot && !(error instanceof DialectSetupError)) throw error;
  // Error messages of imports have several lines.
  const what = error.message.replaceAll(/\s*\n\s*/g, ' ');
  const setting =
    /PARLANCE_[A-Z_]+/.exec(what)?.[0] ?? (isOfBot ? 'PARLANCE_BOTS' : 'PARLANCE_DIALECT_FILES');
  throw new StartError({ what, remedy: `Fix it, or remove it from ${setting}.` }, { cause: error });
}
