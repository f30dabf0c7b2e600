import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import type { Database as SqliteHandle } from 'better-sqlite3';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

import { lockPostgres } from './database-lock.js';
import { PostgresSql, SqliteSql, type Sql } from './sql.js';

const REOPEN_PAUSE_MS = 500;

/** The connection of the writer and its transaction. */
export interface WriterConnection {
  readonly sql: Sql;
  readonly manager: EntityManager;
  begin(): Promise<void>;
  savepoint(): Promise<void>;
  release(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
  /** Commits; others see it from then on, but it may be lost in a power cut until a sync. */
  commit(): Promise<void>;
  /** Resolves when all that was committed before the call survives a power cut. */
  sync(): Promise<void>;
  /** Undoes the transaction; false when its outcome cannot be known. */
  rollback(): Promise<boolean>;
  /** Makes the connection usable again after {@link rollback} said false, unless it is aborted. */
  reopen(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Gives the SQLite handle under a data source. */
export function sqliteHandle(source: DataSource): SqliteHandle {
  return (source.driver as unknown as { databaseConnection: SqliteHandle }).databaseConnection;
}

/**
 * The writer on SQLite.
 *
 * It syncs the write-ahead log by itself, beside the event loop, since SQLite would hold that up
 * until the disk is done.
 */
export class SqliteWriterConnection implements WriterConnection {
  readonly sql: Sql;
  readonly manager: EntityManager;
  private readonly handle: SqliteHandle;
  private readonly logger = new Logger(SqliteWriterConnection.name);
  private wal: FileHandle | null = null;

  constructor(source: DataSource) {
    this.handle = sqliteHandle(source);
    this.sql = new SqliteSql(this.handle);
    this.manager = source.createQueryRunner().manager;
  }

  begin = (): Promise<void> => this.sql.run('BEGIN IMMEDIATE');
  savepoint = (): Promise<void> => this.sql.run('SAVEPOINT job');
  release = (): Promise<void> => this.sql.run('RELEASE job');
  commit = (): Promise<void> => this.sql.run('COMMIT');

  async rollbackToSavepoint(): Promise<void> {
    await this.sql.run('ROLLBACK TO job');
    await this.sql.run('RELEASE job');
  }

  async rollback(): Promise<boolean> {
    // A full disk makes SQLite roll back by itself.
    if (this.handle.inTransaction) await this.sql.run('ROLLBACK');
    return true;
  }

  async sync(): Promise<void> {
    // The file is there as soon as something was written, and stays until SQLite closes it.
    this.wal ??= await open(`${this.handle.name}-wal`, 'r+');
    await this.wal.datasync();
  }

  /** After a failed sync the kernel may take pages for written that are not: they are copied. */
  async reopen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.handle.pragma('wal_checkpoint(TRUNCATE)');
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
}

/** A process of PostgreSQL; its number alone may be used again. */
interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

/** The writer on PostgreSQL; its connection holds the lock of the database. */
export class PostgresWriterConnection implements WriterConnection {
  private readonly logger = new Logger(PostgresWriterConnection.name);
  private current: { runner: QueryRunner; sql: PostgresSql } | null = null;
  private backend: Backend | null = null;

  private constructor(
    private readonly source: DataSource,
    private readonly schema: string,
    private readonly onReady: (ready: boolean) => void,
  ) {}

  /** Connects and takes the lock. */
  static async open(
    source: DataSource,
    schema: string,
    onReady: (ready: boolean) => void,
  ): Promise<PostgresWriterConnection> {
    const connection = new PostgresWriterConnection(source, schema, onReady);
    await connection.connect();
    return connection;
  }

  get sql(): Sql {
    return this.require().sql;
  }

  get manager(): EntityManager {
    return this.require().runner.manager;
  }

  begin = (): Promise<void> => this.sql.run('BEGIN');
  savepoint = (): Promise<void> => this.sql.run('SAVEPOINT job');
  release = (): Promise<void> => this.sql.run('RELEASE SAVEPOINT job');
  commit = (): Promise<void> => this.require().sql.commit();
  /** PostgreSQL answers a commit when it is on the disk. */
  sync = (): Promise<void> => Promise.resolve();
  rollbackToSavepoint = (): Promise<void> => this.sql.run('ROLLBACK TO SAVEPOINT job');

  async rollback(): Promise<boolean> {
    try {
      await this.sql.run('ROLLBACK');
      return true;
    } catch (error) {
      this.logger.warn({ msg: 'The connection to PostgreSQL is lost', err: error });
      return false;
    }
  }

  async reopen(signal: AbortSignal): Promise<void> {
    this.onReady(false);
    await this.close();
    while (!signal.aborted) {
      try {
        await this.connect(1);
        this.onReady(true);
        return;
      } catch (error) {
        this.logger.warn({ msg: 'PostgreSQL cannot be used yet; trying again', err: error });
        await delay(REOPEN_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    await this.current?.runner.release().catch(() => undefined);
    this.current = null;
  }

  private async connect(attempts?: number): Promise<void> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      await this.endPredecessor(runner);
      await lockPostgres(runner, this.schema, attempts);
      this.backend = await findBackend(runner);
      this.current = { runner, sql: new PostgresSql(client) };
    } catch (error) {
      await runner.release();
      throw error;
    }
  }

  /** The server may not know yet that the last connection is gone, and would keep its lock. */
  private async endPredecessor(runner: QueryRunner): Promise<void> {
    if (this.backend === null) return;
    await runner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid = $1 AND backend_start::text = $2`,
      [this.backend.pid, this.backend.startedAt],
    );
  }

  private require(): { runner: QueryRunner; sql: PostgresSql } {
    if (this.current === null) throw new Error('Connection terminated');
    return this.current;
  }
}

async function findBackend(runner: QueryRunner): Promise<Backend | null> {
  const [row] = (await runner.query(
    `SELECT pid, backend_start::text AS "startedAt" FROM pg_stat_activity
      WHERE pid = pg_backend_pid()`,
  )) as Backend[];
  return row ?? null;
}
