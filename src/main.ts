import { existsSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { ParlanceModule } from './app.module.js';
import { loadBots } from './bots/loading/load-bots.js';
import { BotSetupError } from './bots/runtime/bot-manifest.js';
import { ConfigError, readConfig, type Config } from './config/config.js';
import { DatabaseInUseError } from './database/database-lock.js';
import { DialectSetupError } from './dialects/define-dialect.js';
import { loadDialects } from './dialects/load-dialects.js';
import { PinoLogger } from './logger.js';
import { ParlanceAdapter } from './transports/parlance.adapter.js';
import { welcomeText } from './welcome-text.js';

const STOP_MS = 30_000;
/** What is for the operator to mend, who needs no stack for it. */
const KNOWN = [BotSetupError, ConfigError, DatabaseInUseError, DialectSetupError];

/** Starts the gateway; ends it in good order on SIGTERM and SIGINT. */
async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  const logger = new PinoLogger(config.logLevel);
  const app = await createApp(config, logger);
  const stop = (signal: string) => {
    logger.log({ msg: 'stopping', signal }, 'Main');
    // The last resort: a stop that hangs must not hang the machine that waits for it.
    setTimeout(() => process.exit(1), STOP_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.fatal({ msg: 'The stop failed', err: error }, 'Main');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // What nobody waited for, as bots may do with their own, is no reason to end the chat of others.
  process.on('unhandledRejection', (error) => {
    logger.error({ msg: 'A failure that nobody handled', err: error }, 'Main');
  });
  await listen(app, config);
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  logger.log({ msg: 'listening', port }, 'Main');
  // Where standard output goes to a file or a program, it is the log and nothing else.
  const forPeople = process.stdout.isTTY ? process.stdout : process.stderr;
  forPeople.write(welcomeText(port, config));
}

async function createApp(config: Config, logger: PinoLogger): Promise<NestExpressApplication> {
  const bots = await loadBots(config.botFiles, process.cwd());
  const dialects = await loadDialects(config.dialectFiles, process.cwd());
  const module = ParlanceModule.forRoot(config, { bots, dialects });
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger,
    abortOnError: false,
    // Requests that never end must not hold up the stop; the chat is drained before.
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.useWebSocketAdapter(new ParlanceAdapter(app));
  return app;
}

async function listen(app: NestExpressApplication, { port, host }: Config): Promise<void> {
  if (host === undefined) await app.listen(port);
  else await app.listen(port, host);
}

main().catch((error: unknown) => {
  const known = KNOWN.some((type) => error instanceof type);
  const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const text = busy ? 'The port is taken: stop what listens there, or set PORT.' : undefined;
  process.stderr.write(`${text ?? (known ? (error as Error).message : describe(error))}\n`);
  process.exit(1);
});

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
