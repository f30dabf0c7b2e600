import { setImmediate } from 'node:timers/promises';

import type { PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

import { ProtocolError } from '../protocol/errors.js';
import type { Writer } from './writer.js';
import { PostgresSql, SqliteSql, type Sql } from './sql.js';
import { isStorageFault } from './storage-error.js';
import { whileBusy } from './while-busy.js';
import { sqliteHandle } from './writer-connection.js';

/** Time that reads from SQLite may block the event loop before it gets a turn. */
const TURN_MS = 4;

/** The database as it was at one moment. */
export interface Snapshot {
  readonly sql: Sql;
  readonly manager: EntityManager;
}

/** Reads committed data, without blocking the writer. */
export class Reader {
  private last: Promise<unknown> = Promise.resolve();
  private readonly sqlite: Snapshot | null;
  /** Time that reads have taken since the last turn of the event loop. */
  private busyMs = 0;

  constructor(
    private readonly source: DataSource,
    private readonly writer: Pick<Writer, 'isDisconnected' | 'synced' | 'check'>,
    private readonly lockMs: number,
  ) {
    this.sqlite =
      source.options.type === 'better-sqlite3'
        ? { sql: new SqliteSql(sqliteHandle(source)), manager: source.createQueryRunner().manager }
        : null;
  }

  /**
   * Runs queries in one snapshot.
   *
   * @throws ProtocolError `unavailable` if the database failed
   */
  async snapshot<T>(queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const { sqlite } = this;
    return this.read(() =>
      sqlite === null ? this.onPostgres(queries) : this.onSqlite(sqlite, queries),
    );
  }

  /**
   * Runs queries each in a snapshot of its own, which saves the statements of a transaction.
   *
   * @throws ProtocolError `unavailable` if the database failed
   */
  async separately<T>(queries: (sql: Sql) => Promise<T>): Promise<T> {
    const { sqlite } = this;
    return this.read(() =>
      sqlite === null
        ? this.withClient((client) => queries(new PostgresSql(client)))
        : this.onSqlite(sqlite, ({ sql }) => queries(sql)),
    );
  }

  private async read<T>(queries: () => Promise<T>): Promise<T> {
    if (this.writer.isDisconnected()) throw new ProtocolError('unavailable');
    try {
      const result = await queries();
      // Until then a power cut may undo what was read, and its positions may be reused.
      await this.writer.synced();
      return result;
    } catch (error) {
      if (!isStorageFault(error)) throw error;
      this.writer.check();
      throw new ProtocolError('unavailable');
    }
  }

  private onSqlite<T>(snapshot: Snapshot, queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    // One connection, so one snapshot at a time.
    const read = async (): Promise<T> => {
      await this.letOthersWork();
      const began = performance.now();
      await snapshot.sql.run('BEGIN');
      try {
        return await queries(snapshot);
      } finally {
        await snapshot.sql.run('COMMIT');
        this.busyMs += performance.now() - began;
      }
    };
    const result = this.last.then(() => whileBusy(this.lockMs, read));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Yields to the event loop, which reads from SQLite block. */
  private async letOthersWork(): Promise<void> {
    if (this.busyMs < TURN_MS) return;
    this.busyMs = 0;
    await setImmediate();
  }

  private onPostgres<T>(queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.withClient(async (client, runner) => {
      try {
        await runner.startTransaction('REPEATABLE READ');
        const result = await queries({ sql: new PostgresSql(client), manager: runner.manager });
        await runner.commitTransaction();
        return result;
      } catch (error) {
        if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
    });
  }

  private async withClient<T>(
    use: (client: PoolClient, runner: QueryRunner) => Promise<T>,
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      return await use((await runner.connect()) as PoolClient, runner);
    } finally {
      await runner.release();
    }
  }
}
