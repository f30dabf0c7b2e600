import { rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { randomBytes } from 'node:crypto';

import type { INestApplication, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';

import { ParlanceModule } from '#src/app.module.js';
import type { ChatTransport } from '#src/chat/transport.js';
import { readConfig } from '#src/config/config.js';
import type { Dialect } from '#src/dialects/dialect.js';
import type { FileStorage } from '#src/files/file-storage.js';
import { LIFTED_LIMITS } from '#src/harness/lifted-limits.js';
import { PinoLogger } from '#src/logger.js';
import { InMemoryTransport } from '#src/transports/in-memory/in-memory.transport.js';
import { ParlanceAdapter } from '#src/transports/parlance.adapter.js';

import { makeScratchFolder } from './scratch-folder.js';

/** A gateway in this process, on a free port and a database of its own. */
export interface TestServer {
  readonly app: INestApplication;
  readonly port: number;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly inMemory: InMemoryTransport;
  /** The environment that it was started with; start another with it to use the same database. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops the server; its database stays until {@link TestServer.dispose}. */
  stop(): Promise<void>;
  /** Stops the server, if it runs, and drops its database. */
  dispose(): Promise<void>;
}

/** What a test may put into the app beside Parlance. */
export interface Extras {
  readonly modules?: NonNullable<ModuleMetadata['imports']>;
  readonly transports?: readonly ChatTransport[];
  readonly bots?: readonly Type[];
  readonly dialects?: readonly Dialect[];
  readonly storage?: FileStorage;
  /** What takes the place of providers of the server. */
  readonly providers?: readonly Provider[];
}

/** What tests wait for comes soon; what they hold back may take long. */
const PATIENCE = { PARLANCE_LIMIT_PRESENCE_INTERVAL_MS: '100', PARLANCE_DATABASE_WAIT_MS: '60000' };

/** Tells what servers of tests store in. */
export function databaseOfTests(): 'sqlite' | 'postgres' {
  return process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite';
}

/** Makes the settings of a database of its own, on what TEST_DATABASE names; `folder` is for files. */
export async function freshDatabase(folder?: string): Promise<Record<string, string>> {
  const env = { PARLANCE_DATA_DIR: folder ?? (await makeScratchFolder()) };
  if (databaseOfTests() === 'sqlite') return env;
  return {
    ...env,
    DATABASE_URL: process.env['TEST_DATABASE_URL'] ?? '',
    PARLANCE_DATABASE_SCHEMA: `t_${randomBytes(6).toString('hex')}`,
  };
}

/** Drops what {@link freshDatabase} made. */
export async function dropDatabase(env: Readonly<Record<string, string>>): Promise<void> {
  const { PARLANCE_DATA_DIR: dataDir, DATABASE_URL: url, PARLANCE_DATABASE_SCHEMA: schema } = env;
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
  if (url === undefined || schema === undefined) return;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  await client.end();
}

/** Starts a gateway; `env` adds to or overrides its settings. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  extras: Extras = {},
): Promise<TestServer> {
  const database = env['PARLANCE_DATA_DIR'] === undefined ? await freshDatabase() : {};
  const settings = {
    PARLANCE_LOG_LEVEL: 'fatal',
    ...LIFTED_LIMITS,
    ...PATIENCE,
    ...database,
    ...env,
  };
  const config = readConfig({ PORT: '0', HOST: '127.0.0.1', ...settings });
  const root = {
    module: class TestApp {},
    imports: [
      ParlanceModule.forRoot(config, {
        bots: extras.bots ?? [],
        dialects: extras.dialects ?? [],
        ...(extras.storage === undefined ? {} : { storage: extras.storage }),
        providers: extras.providers ?? [],
      }),
      ...(extras.modules ?? []),
    ],
  };
  const app = await NestFactory.create(root, {
    logger: new PinoLogger(config.logLevel),
    abortOnError: false,
  });
  app.useWebSocketAdapter(new ParlanceAdapter(app, extras.transports));
  await app.listen(config.port, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  let running = true;
  const stop = async (): Promise<void> => {
    if (!running) return;
    running = false;
    await app.close();
  };
  return {
    app,
    port,
    url: `http://127.0.0.1:${String(port)}`,
    inMemory: app.get(InMemoryTransport),
    env: settings,
    stop,
    dispose: async () => {
      await stop();
      await dropDatabase(settings);
    },
  };
}
