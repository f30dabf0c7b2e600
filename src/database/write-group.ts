import { ProtocolError } from '../protocol/errors.js';
import type { Sql } from './sql.js';
import { isStorageFault } from './storage-error.js';
import type { AppendedEvent, WriteJob, WriteTransaction } from './writer.js';
import type { WriterConnection } from './writer-connection.js';

/** What a job of a group came to, once the group is committed. */
export type JobResult = { readonly events: readonly AppendedEvent[] } & (
  { readonly value: unknown } | { readonly error: unknown }
);

/**
 * Jobs that share one transaction, in their order; one that fails is undone alone.
 *
 * They run without savepoints first, which cost as much as a quarter of the statements of a message.
 * If one fails that may have changed something, all is undone and run again, each job in a
 * savepoint. So a job may run twice: what it changes in memory it has set back by `ifUndone`.
 */
export class WriteGroup {
  private restores: (() => void)[] = [];

  constructor(
    private readonly connection: WriterConnection,
    private readonly jobs: readonly WriteJob<unknown>[],
  ) {}

  /**
   * Runs the jobs in a new transaction and commits it.
   *
   * Whatever is thrown, memory is set back; the transaction is left to be rolled back.
   */
  async commit(): Promise<JobResult[]> {
    const { connection } = this;
    try {
      await connection.begin();
      const results = (await this.runTogether()) ?? (await this.runApart());
      await connection.commit();
      return results;
    } catch (error) {
      this.restoreFrom(0);
      throw error;
    }
  }

  /** Runs the jobs without savepoints; null if that does not do, with nothing changed. */
  private async runTogether(): Promise<JobResult[] | null> {
    const { connection } = this;
    const results: JobResult[] = [];
    for (const job of this.jobs) {
      const tx = new JobTransaction(connection, this.restores);
      try {
        results.push({ events: tx.events, value: await job(tx) });
      } catch (error) {
        if (isStorageFault(error)) throw error;
        if (!tx.hasChanged && error instanceof ProtocolError) {
          results.push({ events: [], error });
          continue;
        }
        this.restoreFrom(0);
        if (!(await connection.rollback())) throw error;
        await connection.begin();
        return null;
      }
    }
    return results;
  }

  private async runApart(): Promise<JobResult[]> {
    const { connection } = this;
    const results: JobResult[] = [];
    for (const job of this.jobs) {
      const restoresBefore = this.restores.length;
      const tx = new JobTransaction(connection, this.restores);
      await connection.savepoint();
      try {
        results.push({ events: tx.events, value: await job(tx) });
        await connection.release();
      } catch (error) {
        if (isStorageFault(error)) throw error;
        await connection.rollbackToSavepoint();
        this.restoreFrom(restoresBefore);
        results.push({ events: [], error });
      }
    }
    return results;
  }

  private restoreFrom(index: number): void {
    for (const restore of this.restores.splice(index).toReversed()) restore();
  }
}

/** The transaction as one job sees it. */
class JobTransaction implements WriteTransaction {
  readonly events: AppendedEvent[] = [];
  readonly sql: Sql;
  private readonly changesBefore: number;
  private hasManager = false;

  constructor(
    private readonly connection: WriterConnection,
    private readonly restores: (() => void)[],
  ) {
    this.sql = connection.sql;
    this.changesBefore = this.sql.changes;
  }

  /** What is done by the manager is not counted, so whoever asks for it counts as a writer. */
  get manager(): WriteTransaction['manager'] {
    this.hasManager = true;
    return this.connection.manager;
  }

  /** Whether the job may have changed something. */
  get hasChanged(): boolean {
    return this.hasManager || this.sql.changes !== this.changesBefore;
  }

  appended(event: AppendedEvent): void {
    this.events.push(event);
  }

  ifUndone(restore: () => void): void {
    this.restores.push(restore);
  }
}
