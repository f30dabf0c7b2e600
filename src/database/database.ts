import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import type { DataSource } from 'typeorm';

import type { Config } from '../config/config.js';
import { StartError } from '../config/start-error.js';
import {
  databaseAddress,
  readerDataSource,
  sqliteFile,
  writerDataSource,
  type Entities,
} from './data-source.js';
import { lockSqlite, UnshareableError } from './database-lock.js';
import { migrate } from './migrate.js';
import { toOpenError } from './open-error.js';
import { PeriodicJob } from './periodic-job.js';
import { refusePooler } from './pooler.js';
import { makePrivateFile, makePrivateFolder, tightenDataFolder } from './private-folder.js';
import { Reader } from './reader.js';
import {
  PostgresWriterConnection,
  sqliteHandle,
  SqliteWriterConnection,
  type WriterConnection,
} from './writer-connection.js';
import { writerName } from './writer-name.js';
import { Writer } from './writer.js';

/** Time limit for closing connections, so that a silent server does not delay the stop. */
const CLOSE_MS = 2_000;

/** An open database with one writer and one reader. */
export class Database {
  private constructor(
    readonly writer: Writer,
    readonly reader: Reader,
    /** Whether other servers may write to the database too. */
    readonly isShared: boolean,
    /** Id of this run of the server: 16 random bytes in base64url. */
    readonly boot: string,
    private readonly closing: (() => Promise<void> | void)[],
  ) {}

  /** Locks and opens the database, and migrates its schema. */
  static async open(config: Config, entities: Entities): Promise<Database> {
    const closing: (() => Promise<void> | void)[] = [];
    try {
      return await Database.build(config, entities, closing);
    } catch (error) {
      for (const close of closing.toReversed()) await close();
      throw toOpenError(error, config);
    }
  }

  /** Returns whether the database can be used. */
  isReady(): boolean {
    return !this.writer.isDisconnected();
  }

  /** Returns whether the database refuses changes, as with a full disk. */
  isReadOnly(): boolean {
    return this.writer.isRefused();
  }

  /** Commits the accepted jobs and closes the database. */
  async close(): Promise<void> {
    await this.writer.close();
    for (const close of this.closing.splice(0).toReversed()) await close();
  }

  private static async build(
    config: Config,
    entities: Entities,
    closing: (() => Promise<void> | void)[],
  ): Promise<Database> {
    const file = sqliteFile(config);
    if (file !== null) {
      await makePrivateFolder(config.dataDir);
      // SQLite gives the files beside it the same mode.
      for (const path of [file, `${file}.lock`]) await makePrivateFile(path);
      closing.push(await lockSqlite(file));
    }
    if (existsSync(config.dataDir)) await tightenDataFolder(config.dataDir);
    if (file === null) await refusePooler(config);
    else if (config.isDatabaseShared) throw new UnshareableError(file);
    const boot = randomBytes(16).toString('base64url');
    const source = await open(
      writerDataSource(config, entities, writerName(boot, config)),
      closing,
    );
    const connection = await connect(source, config);
    closing.push(() => connection.close());
    await requireTables(source);
    const reading = await open(readerDataSource(config, entities), closing);
    const writer = new Writer(connection);
    const reader = new Reader(reading, writer, config.databaseStatementMs);
    if (file === null) closing.push(watch(writer, config.databaseStatementMs));
    return new Database(writer, reader, config.isDatabaseShared, boot, closing);
  }
}

/**
 * Checks the structure of a SQLite database; `npm run verify` checks the rows.
 *
 * @throws StartError if a part of it is damaged
 */
function requireSound(source: DataSource, config: Config): void {
  const found = sqliteHandle(source).pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return;
  throw new StartError({
    what: 'The database is damaged.',
    where: `${databaseAddress(config)}: ${String(found).replace(/\s+/g, ' ')}`,
    remedy: 'Restore a backup, or save what can be read with: sqlite3 parlance.db .recover',
  });
}

/**
 * Reads no row of any table: a column that is missing then fails the start, not a command later.
 */
async function requireTables({ entityMetadatas, manager }: DataSource): Promise<void> {
  const tables = entityMetadatas.map(({ tableName, columns }) => {
    const names = columns.map(({ databaseName }) => `"${databaseName}"`).join(', ');
    return `(SELECT ${names} FROM "${tableName}" LIMIT 0) AS "${tableName}"`;
  });
  await manager.query(`SELECT 1 FROM room_events, ${tables.join(', ')} LIMIT 0`);
}

/** Connects the writer; on PostgreSQL this takes the lock, before the schema is changed. */
async function connect(source: DataSource, config: Config): Promise<WriterConnection> {
  if (source.options.type === 'postgres') {
    const connection = await PostgresWriterConnection.open(source, config);
    await connection.alone(() => migrate(source, config));
    return connection;
  }
  requireSound(source, config);
  await migrate(source, config);
  return new SqliteWriterConnection(source, config.databaseStatementMs);
}

/** Checks periodically whether PostgreSQL still answers; returns the function that stops it. */
function watch(writer: Writer, pauseMs: number): () => Promise<void> {
  const job = new PeriodicJob({
    name: 'check of the database',
    pauseMs,
    run: () => writer.check(),
  });
  job.start();
  return () => job.stop();
}

async function open(
  source: DataSource,
  closing: (() => Promise<void> | void)[],
): Promise<DataSource> {
  await source.initialize();
  closing.push(() => Promise.race([source.destroy(), delay(CLOSE_MS, undefined, { ref: false })]));
  return source;
}
