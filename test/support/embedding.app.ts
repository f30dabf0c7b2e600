import type { AddressInfo, Server } from 'node:net';

import type {
  DynamicModule,
  INestApplication,
  LoggerService,
  ModuleMetadata,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ParlanceModule, type ParlanceOptions } from '#src/parlance.module.js';
import { readConfig, type Config } from '#src/config/config.js';
import { LIFTED_LIMITS } from '#src/bots/testing/lifted-limits.js';
import { ParlanceAdapter } from '#src/transports/parlance.adapter.js';

import { dropDatabase, freshDatabase } from './server.js';

/** The parts of an app that embeds Parlance. */
export interface EmbeddingApp extends ModuleMetadata {
  readonly parlance?: ParlanceOptions;
  /** Returns the module; default: {@link ParlanceModule.forRoot}. */
  readonly embed?: () => DynamicModule;
  /** Configures the app as its `main.ts` would. */
  readonly setUp?: (app: INestApplication) => void;
  readonly logger?: LoggerService;
}

/** A running app that embeds Parlance. */
export interface RunningApp {
  readonly app: INestApplication;
  readonly url: string;
  close(): Promise<void>;
}

/** Returns settings with a new database. */
export async function freshConfig(): Promise<Config> {
  return readConfig({ ...LIFTED_LIMITS, ...(await freshDatabase()) });
}

/** Starts an app that embeds Parlance. */
export async function startApp(embedding: EmbeddingApp): Promise<RunningApp> {
  const { parlance, embed, setUp, logger, imports = [], ...metadata } = embedding;
  const config = await freshConfig();
  const module = embed?.() ?? ParlanceModule.forRoot(config, parlance);
  const root = {
    ...metadata,
    module: class EmbeddingAppModule {},
    imports: [module, ...imports],
  };
  const app = await NestFactory.create(root, { logger: logger ?? false, abortOnError: false });
  app.useWebSocketAdapter(new ParlanceAdapter(app));
  setUp?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const close = async (): Promise<void> => {
    await app.close();
    await dropDatabase({
      PARLANCE_DATA_DIR: config.dataDir,
      ...(config.databaseUrl === undefined ? {} : { DATABASE_URL: config.databaseUrl }),
      PARLANCE_DATABASE_SCHEMA: config.databaseSchema,
    });
  };
  return { app, url: `http://127.0.0.1:${String(port)}`, close };
}
