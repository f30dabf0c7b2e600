import { join } from 'node:path';

import type { Database as SqliteHandle } from 'better-sqlite3';
import pg from 'pg';
import { DataSource, type EntitySchema, type MixedList } from 'typeorm';

import type { Config } from '../config/config.js';
import { MIGRATIONS } from './migrations/index.js';
import { Sqlite } from './sqlite.js';

/** Entity classes of the domain. */
export type Entities = MixedList<string | EntitySchema | (new () => object)>;

/** Gives the path of the SQLite database; null where PostgreSQL is used. */
export function sqliteFile(config: Config): string | null {
  return config.databaseUrl === undefined ? join(config.dataDir, 'parlance.db') : null;
}

/** Makes the data source whose one connection writes, and runs the migrations. */
export function writerDataSource(config: Config, entities: Entities): DataSource {
  const file = sqliteFile(config);
  if (file === null) return postgresDataSource(config, entities, 4);
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: file,
    entities,
    migrations: MIGRATIONS,
    prepareDatabase: (handle: SqliteHandle) => {
      handle.pragma('journal_mode = WAL');
      // Checkpoints are synced by SQLite, commits by the writer before anybody learns of them.
      handle.pragma('synchronous = NORMAL');
      handle.pragma('busy_timeout = 5000');
      // Pages that many commits touch are copied back once: about 16 MiB of log.
      handle.pragma('wal_autocheckpoint = 4000');
    },
  });
}

/** Makes the data source that reads. */
export function readerDataSource(config: Config, entities: Entities): DataSource {
  const file = sqliteFile(config);
  if (file === null) return postgresDataSource(config, entities, 8);
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: file,
    entities,
    readonly: true,
    fileMustExist: true,
    prepareDatabase: (handle: SqliteHandle) => {
      handle.pragma('busy_timeout = 5000');
    },
  });
}

function postgresDataSource(config: Config, entities: Entities, poolSize: number): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.databaseUrl ?? '',
    schema: config.databaseSchema,
    entities,
    migrations: MIGRATIONS,
    poolSize,
    applicationName: 'parlance',
    connectTimeoutMS: config.databaseWaitMs,
    extra: {
      keepAlive: true,
      options: `-c search_path=${config.databaseSchema}`,
      // int8 as numbers: times and positions stay far below 2^53.
      types: {
        getTypeParser: (...[oid, format]: Parameters<typeof pg.types.getTypeParser>): unknown =>
          oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
      },
    },
  });
}
