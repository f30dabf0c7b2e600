import { rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { randomBytes } from 'node:crypto';

import type { INestApplication, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import type { ChatTransport } from '#src/chat/connections/transport.js';
import { readConfig } from '#src/config/config.js';
import type { Dialect } from '#src/dialects/dialect.js';
import type { FileStorage } from '#src/files/file-storage.js';
import { LIFTED_LIMITS } from '#src/bots/testing/lifted-limits.js';
import { PinoLogger } from '#src/server/logger.js';
import { standaloneModule } from '#src/server/standalone.js';
import { InMemoryTransport } from '#src/transports/in-memory/in-memory.transport.js';
import { ParlanceAdapter } from '#src/transports/parlance.adapter.js';

import {
  copySqliteTemplate,
  dropPostgresSchema,
  returnPostgresSchema,
  takePostgresSchema,
} from './database-template.js';
import { makeScratchFolder } from './scratch-folder.js';

/** A server in this process, on a free port and with a new database. */
export interface TestServer {
  readonly app: INestApplication;
  readonly port: number;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  readonly inMemory: InMemoryTransport;
  /** The settings of the server; start another one with them to use the same database. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops the server; its database stays until {@link TestServer.dispose}. */
  stop(): Promise<void>;
  /** Stops the server if it is running, and drops its database. */
  dispose(): Promise<void>;
}

/** Modules and providers that a test adds to the server. */
export interface Extras {
  readonly modules?: NonNullable<ModuleMetadata['imports']>;
  readonly transports?: readonly ChatTransport[];
  readonly bots?: readonly Type[];
  readonly dialects?: readonly Dialect[];
  readonly storage?: FileStorage;
  /** Whether other servers of the test use the same database. */
  readonly isDatabaseShared?: boolean;
  /** Providers that replace providers of the server. */
  readonly providers?: readonly Provider[];
}

/** Short where tests wait for the server, long where tests block it. */
const TEST_LIMITS = {
  PARLANCE_LIMIT_PRESENCE_INTERVAL_MS: '100',
  PARLANCE_DATABASE_WAIT_MS: '60000',
  // A test client that sends its first frame late does not become an observer.
  PARLANCE_LEGACY_SILENCE_MS: '1000',
  PARLANCE_DATABASE_STATEMENT_MS: '60000',
};

/** Returns the database of the tests, which TEST_DATABASE selects. */
export function testDatabase(): 'sqlite' | 'postgres' {
  return process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite';
}

/** Returns settings of a new database, which TEST_DATABASE selects; `folder` is for files. */
export async function freshDatabase(folder?: string): Promise<Record<string, string>> {
  const env = { PARLANCE_DATA_DIR: folder ?? (await makeScratchFolder()) };
  if (testDatabase() === 'sqlite') return env;
  return {
    ...env,
    DATABASE_URL: process.env['TEST_DATABASE_URL'] ?? '',
    PARLANCE_DATABASE_SCHEMA: `t_${randomBytes(6).toString('hex')}`,
  };
}

/** Returns settings as {@link freshDatabase} does, of a database that has its tables. */
async function migratedDatabase(): Promise<Record<string, string>> {
  const env = await freshDatabase();
  const { PARLANCE_DATA_DIR: folder = '', DATABASE_URL: url } = env;
  if (url !== undefined) return { ...env, PARLANCE_DATABASE_SCHEMA: await takePostgresSchema(url) };
  await copySqliteTemplate(folder);
  return env;
}

/** Deletes the database of {@link migratedDatabase}; servers of later tests use its schema. */
async function dropMigrated(env: Readonly<Record<string, string>>): Promise<void> {
  const {
    PARLANCE_DATA_DIR: folder = '',
    DATABASE_URL: url,
    PARLANCE_DATABASE_SCHEMA: schema,
  } = env;
  await rm(folder, { recursive: true, force: true });
  if (url !== undefined && schema !== undefined) await returnPostgresSchema(url, schema);
}

/** Drops a database of {@link freshDatabase} and deletes its folder. */
export async function dropDatabase(env: Readonly<Record<string, string>>): Promise<void> {
  const { PARLANCE_DATA_DIR: dataDir, DATABASE_URL: url, PARLANCE_DATABASE_SCHEMA: schema } = env;
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
  if (url !== undefined && schema !== undefined) await dropPostgresSchema(url, schema);
}

/** Starts a server; `env` overrides its settings. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  extras: Extras = {},
): Promise<TestServer> {
  const database = env['PARLANCE_DATA_DIR'] === undefined ? await migratedDatabase() : {};
  // Something else may still write to a database that the test names.
  const isShared = env['PARLANCE_DATA_DIR'] !== undefined || env['DATABASE_URL'] !== undefined;
  const settings = {
    PARLANCE_LOG_LEVEL: 'fatal',
    ...LIFTED_LIMITS,
    ...TEST_LIMITS,
    ...database,
    ...env,
  };
  const read = readConfig({ PORT: '0', HOST: '127.0.0.1', ...settings });
  const config = { ...read, isDatabaseShared: extras.isDatabaseShared ?? read.isDatabaseShared };
  const root = {
    module: class TestApp {},
    imports: [
      standaloneModule(config, {
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
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= app.close());
  return {
    app,
    port,
    url: `http://127.0.0.1:${String(port)}`,
    inMemory: app.get(InMemoryTransport),
    env: settings,
    stop,
    dispose: async () => {
      await stop();
      await (isShared ? dropDatabase(settings) : dropMigrated(settings));
    },
  };
}
