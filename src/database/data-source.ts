import { join } from 'node:path';

import type { Database as SqliteHandle } from 'better-sqlite3';
import { DataSource, type EntitySchema, type MixedList } from 'typeorm';

import type { Config } from '../config/config.js';
import { MIGRATIONS } from './migrations/index.js';
import { postgresPool, type PoolSettings } from './postgres-pool.js';
import { Sqlite } from './sqlite.js';

/** Entity classes of the domain. */
export type Entities = MixedList<string | EntitySchema | (new () => object)>;

/** The default logger of TypeORM prints failed migrations to standard output; the error suffices. */
const LOGGER = 'debug';

/** Returns the path of the SQLite database; null if PostgreSQL is used. */
export function sqliteFile(config: Config): string | null {
  return config.databaseUrl === undefined ? join(config.dataDir, 'parlance.db') : null;
}

/** Returns the address of the database for the operator, without user and password. */
export function databaseAddress(config: Config): string {
  const file = sqliteFile(config);
  if (file !== null) return `${file} (PARLANCE_DATA_DIR)`;
  const { host, pathname } = new URL(config.databaseUrl ?? '');
  return `${host}${pathname}, schema "${config.databaseSchema}" (DATABASE_URL)`;
}

/** Returns the data source that writes; `name` is that of its connections to PostgreSQL. */
export function writerDataSource(config: Config, entities: Entities, name?: string): DataSource {
  const file = sqliteFile(config);
  if (file === null) {
    return postgresDataSource(config, entities, { size: 4, isReading: false, name });
  }
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: file,
    entities,
    migrations: MIGRATIONS,
    logger: LOGGER,
    prepareDatabase: (handle: SqliteHandle) => {
      handle.pragma('journal_mode = WAL');
      // SQLite syncs checkpoints; the writer syncs commits before it announces them.
      handle.pragma('synchronous = NORMAL');
      handle.pragma('busy_timeout = 5000');
      // About 16 MiB of log, so that pages changed by many commits are copied back once.
      handle.pragma('wal_autocheckpoint = 4000');
    },
  });
}

/** Returns the data source that reads. */
export function readerDataSource(config: Config, entities: Entities): DataSource {
  const file = sqliteFile(config);
  if (file === null) return postgresDataSource(config, entities, { size: 8, isReading: true });
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: file,
    entities,
    logger: LOGGER,
    readonly: true,
    fileMustExist: true,
    prepareDatabase: (handle: SqliteHandle) => {
      // The reader waits for other processes itself, without blocking the event loop.
      handle.pragma('busy_timeout = 0');
    },
  });
}

/** Returns the data source that migrates PostgreSQL, without a limit for statements. */
export function migrationDataSource(config: Config): DataSource {
  return postgresDataSource(config, [], { size: 2, isReading: false, statementMs: undefined });
}

type Pool = Partial<PoolSettings> &
  Pick<PoolSettings, 'isReading'> & { readonly size: number; readonly name?: string | undefined };

function postgresDataSource(
  config: Config,
  entities: Entities,
  { size, name = 'parlance', ...settings }: Pool,
): DataSource {
  const { databaseSchema: schema, databaseStatementMs: statementMs } = config;
  return new DataSource({
    type: 'postgres',
    url: config.databaseUrl ?? '',
    schema,
    entities,
    migrations: MIGRATIONS,
    logger: LOGGER,
    poolSize: size,
    applicationName: name,
    connectTimeoutMS: config.databaseWaitMs,
    extra: postgresPool({ schema, statementMs, ...settings }),
  });
}
