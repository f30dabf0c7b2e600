import type { PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';

import { ProtocolError } from '../protocol/errors.js';
import type { Writer } from './writer.js';
import { PostgresSql, SqliteSql, type Sql } from './sql.js';
import { isStorageFault } from './storage-error.js';
import { sqliteHandle } from './writer-connection.js';

/** The database as it was at one moment. */
export interface Snapshot {
  readonly sql: Sql;
  readonly manager: EntityManager;
}

/** Reads what is committed, beside the writer and never in its way. */
export class Reader {
  private last: Promise<unknown> = Promise.resolve();
  private readonly sqlite: Snapshot | null;

  constructor(
    private readonly source: DataSource,
    private readonly writer: Writer,
  ) {
    this.sqlite =
      source.options.type === 'better-sqlite3'
        ? { sql: new SqliteSql(sqliteHandle(source)), manager: source.createQueryRunner().manager }
        : null;
  }

  /**
   * Runs queries that all see the same moment.
   *
   * @throws ProtocolError `unavailable` when the database failed
   */
  async snapshot<T>(queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    try {
      const result = await (this.sqlite === null
        ? this.onPostgres(queries)
        : this.onSqlite(this.sqlite, queries));
      // What was read may be lost in a power cut until then, and its position given away again.
      await this.writer.synced();
      return result;
    } catch (error) {
      if (isStorageFault(error)) throw new ProtocolError('unavailable');
      throw error;
    }
  }

  private onSqlite<T>(snapshot: Snapshot, queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    // One connection, so one snapshot at a time.
    const result = this.last.then(async () => {
      await snapshot.sql.run('BEGIN');
      try {
        return await queries(snapshot);
      } finally {
        await snapshot.sql.run('COMMIT');
      }
    });
    this.last = result.catch(() => undefined);
    return result;
  }

  private async onPostgres<T>(queries: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      await runner.startTransaction('REPEATABLE READ');
      const result = await queries({ sql: new PostgresSql(client), manager: runner.manager });
      await runner.commitTransaction();
      return result;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }
}
