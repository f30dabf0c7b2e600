import { once } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import type { Database as SqliteHandle } from 'better-sqlite3';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

import type { Config } from '../config/config.js';
import { DatabaseClock } from './database-clock.js';
import { lockPostgres, whileAlone } from './database-lock.js';
import { lockLogs, sendRows, settle, storeLogs, type LogLocks } from './lock-logs.js';
import type { LockedLogs } from './locked-logs.js';
import { abort } from './postgres-pool.js';
import { syncFolder } from './private-folder.js';
import { ChangeCounter, PostgresSql, SqliteSql, type Sql } from './sql.js';
import { isConnectionFault, isLockFault } from './storage-error.js';
import { whileBusy } from './while-busy.js';
import type { DeclaredLog } from './write-job.js';

const REOPEN_PAUSE_MS = 500;
/** Share of the deadline of a statement for which a group keeps its locks: 5 ms by default. */
const LOCK_SHARE = 0.001;
/** The table that has no entity. */
const LOG_TABLE = 'room_events';

/** The connection of the writer and its transaction. */
export interface WriterConnection {
  readonly sql: Sql;
  readonly manager: EntityManager;
  /** Counts the statements of both. */
  readonly changes: ChangeCounter;
  /**
   * Time for which a group of jobs keeps locks on its logs, in milliseconds; null where a
   * transaction locks the whole database.
   */
  readonly lockMs: number | null;
  /** Whether other servers write to the database, too. */
  readonly isShared: boolean;
  /** Begins a transaction, and locks logs where other processes may write to the database. */
  begin(logs: readonly DeclaredLog[]): Promise<LockedLogs | null>;
  /** Sends the rows that wait in the locked logs, so that later statements see them. */
  sendRows(): void;
  savepoint(): Promise<void>;
  /** Stores what the job of a savepoint has changed. */
  release(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
  /**
   * Commits. Other connections see the changes; a power cut may undo them until a sync.
   *
   * @throws CommitError if the transaction was rolled back although no statement had failed
   */
  commit(): Promise<void>;
  /** Returns the time of the database, in milliseconds since 1970. */
  now(): number;
  /** Resolves when all earlier commits survive a power cut. */
  sync(): Promise<void>;
  /** Rolls back the transaction; returns false if its outcome is unknown. */
  rollback(): Promise<boolean>;
  /** Tells, outside a transaction, whether the database answers and its tables can be written. */
  isUsable(): Promise<boolean>;
  /** Makes the connection usable again after a failure; retries until aborted. */
  reopen(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Returns the SQLite handle of a data source. */
export function sqliteHandle(source: DataSource): SqliteHandle {
  return (source.driver as unknown as { databaseConnection: SqliteHandle }).databaseConnection;
}

/**
 * The writer on SQLite.
 *
 * It syncs the write-ahead log itself, because SQLite would block the event loop while it does so.
 */
export class SqliteWriterConnection implements WriterConnection {
  readonly sql: Sql;
  readonly manager: EntityManager;
  readonly changes = new ChangeCounter();
  readonly lockMs = null;
  readonly isShared = false;
  private readonly handle: SqliteHandle;
  private readonly logger = new Logger(SqliteWriterConnection.name);
  private wal: FileHandle | null = null;

  constructor(
    source: DataSource,
    private readonly waitMs: number,
  ) {
    this.handle = sqliteHandle(source);
    // SQLite would block the event loop; begin() waits without blocking.
    this.handle.pragma('busy_timeout = 0');
    this.sql = new SqliteSql(this.handle, this.changes);
    this.manager = countChanges(source.createQueryRunner(), this.changes).manager;
  }

  now = (): number => Date.now();
  sendRows = (): void => undefined;
  savepoint = (): Promise<void> => this.sql.run('SAVEPOINT job');
  release = (): Promise<void> => this.sql.run('RELEASE job');
  commit = (): Promise<void> => this.sql.run('COMMIT');
  isUsable = (): Promise<boolean> => Promise.resolve(true);

  async begin(): Promise<null> {
    await whileBusy(this.waitMs, () => this.sql.run('BEGIN IMMEDIATE'));
    return null;
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.sql.run('ROLLBACK TO job');
    await this.sql.run('RELEASE job');
  }

  async rollback(): Promise<boolean> {
    // With a full disk, SQLite rolls back by itself.
    if (this.handle.inTransaction) await this.sql.run('ROLLBACK');
    return true;
  }

  async sync(): Promise<void> {
    // The file exists as soon as something is written, until SQLite closes it.
    this.wal ??= await this.openWal();
    await this.wal.datasync();
  }

  /** Copies all pages: after a failed sync, the kernel may regard unwritten pages as written. */
  async reopen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.handle.inTransaction) this.handle.exec('ROLLBACK');
        this.checkpoint();
        await this.sync();
        return;
      } catch (error) {
        this.logger.warn({ msg: 'The disk cannot be used yet; trying again', err: error });
        await delay(REOPEN_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    await this.wal?.close();
    this.wal = null;
  }

  /** Syncs the folder as well: until then a power cut may remove the name of the file. */
  private async openWal(): Promise<FileHandle> {
    const wal = await open(`${this.handle.name}-wal`, 'r+');
    await syncFolder(dirname(this.handle.name));
    return wal;
  }

  private checkpoint(): void {
    const [result] = this.handle.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    if (result?.busy !== 0) throw new Error('Another process uses the write-ahead log');
  }
}

/** A process of PostgreSQL; process ids alone are reused. */
interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

/** The writer on PostgreSQL; its connection holds the lock of the database. */
export class PostgresWriterConnection implements WriterConnection {
  readonly changes = new ChangeCounter();
  private readonly clock = new DatabaseClock();
  private locks: LogLocks | null = null;
  private readonly logger = new Logger(PostgresWriterConnection.name);
  private current: { runner: QueryRunner; client: PoolClient; sql: PostgresSql } | null = null;
  private backend: Backend | null = null;

  private constructor(
    private readonly source: DataSource,
    readonly schema: string,
    readonly isShared: boolean,
    readonly lockMs: number,
  ) {}

  /** Connects and takes the lock. */
  static async open(
    source: DataSource,
    { databaseSchema: schema, databaseStatementMs, isDatabaseShared: isShared }: Config,
  ): Promise<PostgresWriterConnection> {
    const lockMs = databaseStatementMs * LOCK_SHARE;
    const connection = new PostgresWriterConnection(source, schema, isShared, lockMs);
    await connection.connect();
    return connection;
  }

  get sql(): PostgresSql {
    return this.require().sql;
  }

  get manager(): EntityManager {
    return this.require().runner.manager;
  }

  now = (): number => this.clock.now();
  savepoint = (): Promise<void> => this.sql.run('SAVEPOINT job');
  /** PostgreSQL answers a commit once it is on the disk. */
  sync = (): Promise<void> => Promise.resolve();
  rollbackToSavepoint = (): Promise<void> => this.sql.run('ROLLBACK TO SAVEPOINT job');

  /** Sends everything at once, so that it costs one round trip. */
  async begin(logs: readonly DeclaredLog[]): Promise<LockedLogs> {
    this.locks = null;
    const { sql } = this;
    const begun = sql.run('BEGIN ISOLATION LEVEL READ COMMITTED');
    const locking = lockLogs(sql, this.clock, logs);
    await settle([begun, locking]);
    this.locks = await locking;
    return this.locks.locked;
  }

  sendRows(): void {
    if (this.locks !== null) sendRows(this.sql, this.locks.locked);
  }

  async release(): Promise<void> {
    this.sendRows();
    await settle(this.locks?.locked.sent.splice(0) ?? []);
    await this.sql.run('RELEASE SAVEPOINT job');
  }

  /** Sends everything at once; a failed statement makes PostgreSQL roll back. */
  async commit(): Promise<void> {
    const { sql, locks } = this;
    const stored = locks === null ? [] : storeLogs(sql, locks);
    await settle([...stored, sql.commit()]);
  }

  async rollback(): Promise<boolean> {
    try {
      await this.sql.run('ROLLBACK');
      return true;
    } catch (error) {
      this.logger.warn({ msg: 'The connection to PostgreSQL is lost', err: error });
      return false;
    }
  }

  async isUsable(): Promise<boolean> {
    try {
      const { runner } = this.require();
      await requireUnlocked(runner);
      // Without writes, no other statement sets the clock.
      await this.clock.read(runner);
      return true;
    } catch (error) {
      this.logger.warn({ msg: 'PostgreSQL cannot be used', err: error });
      return false;
    }
  }

  async reopen(signal: AbortSignal): Promise<void> {
    await this.end();
    while (!signal.aborted) {
      try {
        await untilAborted(signal, this.connect(1));
        return;
      } catch (error) {
        this.logger.warn({ msg: 'PostgreSQL cannot be used yet; trying again', err: error });
        await delay(REOPEN_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Runs work that only one of the servers that share the database may run at a time. */
  async alone(work: () => Promise<void>): Promise<void> {
    await whileAlone(this.require().runner, this.schema, work);
  }

  async close(): Promise<void> {
    await this.current?.runner.release().catch(() => undefined);
    this.current = null;
  }

  /** Ends the connection and its lock, so that the pool does not reuse it. */
  private async end(): Promise<void> {
    if (this.current !== null) abort(this.current.client);
    await this.close();
  }

  private async connect(attempts?: number): Promise<void> {
    const runner = countChanges(this.source.createQueryRunner(), this.changes);
    try {
      const client = (await runner.connect()) as PoolClient;
      await this.endPredecessor(runner);
      await lockPostgres(runner, this, attempts);
      const isReturn = this.backend !== null;
      // Set before it is tried, so that the next attempt ends it if it hangs.
      this.backend = await findBackend(runner);
      if (isReturn) {
        await requireUnlocked(runner);
        await requireCommit(runner);
      }
      await this.clock.read(runner);
      this.current = { runner, client, sql: new PostgresSql(client, this.changes) };
    } catch (error) {
      await runner.release();
      throw error;
    }
  }

  /** Ends the previous connection: PostgreSQL keeps its lock until it notices the loss. */
  private async endPredecessor(runner: QueryRunner): Promise<void> {
    if (this.backend === null) return;
    await runner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid = $1 AND backend_start::text = $2 AND pid <> pg_backend_pid()`,
      [this.backend.pid, this.backend.startedAt],
    );
    // A lock that is shared does not show whether it has ended, nor whether it still commits.
    if (this.isShared && (await isRunning(runner, this.backend))) {
      throw new Error('The previous connection has not ended yet');
    }
  }

  private require(): { runner: QueryRunner; client: PoolClient; sql: PostgresSql } {
    if (this.current === null) throw new Error('Connection terminated');
    return this.current;
  }
}

/** Counts the statements of TypeORM, all of which go through its query runner. */
function countChanges(runner: QueryRunner, changes: ChangeCounter): QueryRunner {
  const query: QueryRunner['query'] = runner.query.bind(runner);
  runner.query = (statement: string, ...given: [parameters?: unknown[]]) => {
    changes.add(statement);
    return query(statement, ...given);
  };
  return runner;
}

/** Waits for work until a signal is aborted. */
async function untilAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const listening = new AbortController();
  const aborted = once(signal, 'abort', { signal: listening.signal }).catch(() => undefined);
  work.catch(() => undefined);
  try {
    await Promise.race([work, aborted]);
  } finally {
    listening.abort();
  }
}

/**
 * Requires that no other session keeps the server from writing to its tables.
 *
 * Takes the locks of inserts and updates, without waiting for them.
 */
async function requireUnlocked(runner: QueryRunner): Promise<void> {
  const tables = runner.dataSource.entityMetadatas.map(({ tableName }) => tableName);
  const list = [...tables, LOG_TABLE].map((table) => `"${table}"`).join(', ');
  await runner.query('BEGIN');
  try {
    await runner.query(`LOCK TABLE ${list} IN ROW EXCLUSIVE MODE NOWAIT`);
  } catch (error) {
    // If refused for another reason, such as a read-only database, reading still works.
    if (isLockFault(error)) throw error;
  } finally {
    await runner.query('ROLLBACK');
  }
}

/**
 * Requires that a commit is answered, which waits for the disk and for a synchronous standby.
 *
 * Only transactions that write wait for them; this one writes to the write-ahead log alone.
 */
async function requireCommit(runner: QueryRunner): Promise<void> {
  try {
    await runner.query("SELECT pg_logical_emit_message(true, 'parlance', '')");
  } catch (error) {
    if (isConnectionFault(error)) throw error;
    // If refused, as with a full disk or a read-only database, reading still works.
  }
}

async function isRunning(runner: QueryRunner, { pid, startedAt }: Backend): Promise<boolean> {
  const rows = (await runner.query(
    'SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2',
    [pid, startedAt],
  )) as unknown[];
  return rows.length > 0;
}

async function findBackend(runner: QueryRunner): Promise<Backend | null> {
  const [row] = (await runner.query(
    `SELECT pid, backend_start::text AS "startedAt" FROM pg_stat_activity
      WHERE pid = pg_backend_pid()`,
  )) as Backend[];
  return row ?? null;
}
