import type { EntityManager } from 'typeorm';

import { ProtocolError } from '../protocol/errors.js';
import { settle } from './lock-logs.js';
import type { LockedLogs, Mark } from './locked-logs.js';
import { ShortForms } from './short-forms.js';
import { CommitError, type Sql } from './sql.js';
import { isStorageFault } from './storage-error.js';
import {
  LocksMissingError,
  type AppendedEvent,
  type DeclaredLog,
  type ShortForm,
  type WriteJob,
  type WriteTransaction,
} from './write-job.js';
import type { WriterConnection } from './writer-connection.js';

/** A job with the logs that it touches. */
export interface DeclaredJob {
  logs: readonly DeclaredLog[];
  readonly job: WriteJob<unknown>;
  readonly short?: ShortForm<unknown> | undefined;
}

/** The writer, as one of its groups sees it. */
export interface GroupOwner {
  /** Called when the commit of the first `count` jobs has been sent; may begin the next group. */
  sent(count: number): void;
  /** Called when the transaction failed; resolves when no other group has begun behind it. */
  failed(): Promise<void>;
}

/** The outcome of a job in a committed group. */
export type JobResult = { readonly events: readonly AppendedEvent[] } & (
  { readonly value: unknown } | { readonly error: unknown }
);

/**
 * Jobs that share one transaction, in order. A job that fails is undone alone.
 *
 * Jobs first run without savepoints, which cost as much as a quarter of the statements of a message.
 * If a job fails that may have changed something, everything is undone and run again, with a
 * savepoint for each job. A job may therefore run twice: `ifUndone` restores its changes in memory.
 */
export class WriteGroup {
  private restores: (() => void)[] = [];
  private locked: LockedLogs | null = null;
  private short: ShortForms | null = null;
  private begun: Promise<void> | null = null;

  constructor(
    private readonly connection: WriterConnection,
    private jobs: readonly DeclaredJob[],
    private readonly owner: GroupOwner,
  ) {}

  /** Begins ahead of {@link commit}, behind the commit of another group, and so after it. */
  beginEarly(): void {
    this.begun = this.begin();
    // Awaited by `commit`; until then, a failure is not unhandled.
    this.begun.catch(() => undefined);
  }

  /** Resolves when an early begin has been answered. */
  async settled(): Promise<void> {
    await this.begun?.catch(() => undefined);
  }

  /**
   * Runs jobs in a new transaction and commits it.
   *
   * Returns the outcomes of the first jobs. It may leave out others: those that need more locks,
   * which it adds to what they declare, and those that the time for locks did not suffice for.
   *
   * If it throws, memory is restored, and the caller has to roll back the transaction.
   */
  async commit(): Promise<JobResult[]> {
    try {
      return await this.run(this.runTogether);
    } catch (error) {
      await this.undo();
      if (isStorageFault(error) || error instanceof CommitError) throw error;
      if (!(await this.connection.rollback())) throw error;
    }
    try {
      return await this.run(this.runApart);
    } catch (error) {
      await this.undo();
      throw error;
    }
  }

  private async run(runJobs: () => Promise<JobResult[]>): Promise<JobResult[]> {
    await (this.begun ?? this.begin());
    const results = await runJobs();
    const committed = this.connection.commit();
    // The owner takes the others back.
    this.jobs = this.jobs.slice(0, results.length);
    this.owner.sent(results.length);
    await committed;
    return results;
  }

  private async undo(): Promise<void> {
    this.begun = null;
    this.restoreAll();
    await this.owner.failed();
  }

  /** Begins; the questions of the jobs are sent behind the locks, and so answered under them. */
  private async begin(): Promise<void> {
    const { connection, jobs } = this;
    const { sql } = connection;
    if (connection.lockMs === null) {
      this.locked = await connection.begin([]);
      return;
    }
    const begun = connection.begin(jobs.flatMap(({ logs }) => logs));
    const asked = ShortForms.ask(sql, jobs);
    await settle([begun, asked]);
    this.locked = await begun;
    this.short = await asked;
  }

  /** Runs the jobs without savepoints; throws if one fails that may have changed something. */
  private readonly runTogether = async (): Promise<JobResult[]> => {
    const results: JobResult[] = [];
    for (const job of this.jobs) {
      if (this.isOverTime() && results.length > 0) break;
      const tx = this.transaction();
      try {
        const value = this.runShort(job, tx) ?? (await this.runLong(job, tx));
        results.push({ events: tx.events, value });
      } catch (error) {
        if (isStorageFault(error) || tx.hasChanged) throw error;
        tx.undo();
        if (addLocks(job, error)) break;
        if (!(error instanceof ProtocolError)) throw error;
        results.push({ events: [], error });
      }
    }
    return results;
  };

  /** Runs each job in a savepoint. */
  private readonly runApart = async (): Promise<JobResult[]> => {
    const { connection } = this;
    const results: JobResult[] = [];
    for (const job of this.jobs) {
      if (this.isOverTime() && results.length > 0) break;
      await connection.savepoint();
      const tx = this.transaction();
      try {
        const value = await job.job(tx);
        await connection.release();
        results.push({ events: tx.events, value });
      } catch (error) {
        if (isStorageFault(error)) throw error;
        await connection.rollbackToSavepoint();
        tx.undo();
        if (addLocks(job, error)) break;
        results.push({ events: [], error });
      }
    }
    return results;
  };

  /** Runs a job by its short form; returns undefined if the job itself has to run. */
  private runShort({ short }: DeclaredJob, tx: JobTransaction): unknown {
    if (short === undefined || this.locked === null) return undefined;
    return this.short?.run(short, tx, this.locked);
  }

  private runLong({ job, logs }: DeclaredJob, tx: JobTransaction): Promise<unknown> {
    if (this.locked !== null) {
      this.connection.sendRows();
      this.short?.outdate(logs);
      tx.begin();
    }
    return job(tx);
  }

  private transaction(): JobTransaction {
    return new JobTransaction(this.connection, this.locked, this.restores);
  }

  private restoreAll(): void {
    for (const restore of this.restores.splice(0).toReversed()) restore();
  }

  /** Returns whether others have waited long enough for the locks of this group. */
  private isOverTime(): boolean {
    const { lockMs } = this.connection;
    return lockMs !== null && performance.now() - (this.locked?.since ?? 0) > lockMs;
  }
}

/** Adds the locks that a job missed to those that it declares; returns false for other errors. */
function addLocks(job: DeclaredJob, error: unknown): boolean {
  if (!(error instanceof LocksMissingError)) return false;
  job.logs = [...job.logs, ...error.logs];
  return true;
}

/** The transaction of one job. */
class JobTransaction implements WriteTransaction {
  readonly events: AppendedEvent[] = [];
  readonly sql: Sql;
  readonly manager: EntityManager;
  private changesBefore = 0;
  private restoresBefore = 0;
  private mark: Mark | undefined;

  constructor(
    private readonly connection: WriterConnection,
    readonly locked: LockedLogs | null,
    private readonly restores: (() => void)[],
  ) {
    this.sql = connection.sql;
    this.manager = connection.manager;
    this.begin();
  }

  /** Whether the job may have changed something in the database. */
  get hasChanged(): boolean {
    return this.connection.changes.count !== this.changesBefore;
  }

  /** Marks the state to which {@link undo} returns. */
  begin(): void {
    this.changesBefore = this.connection.changes.count;
    this.restoresBefore = this.restores.length;
    this.mark = this.locked?.mark();
  }

  /** Restores what the job has changed in memory. */
  undo(): void {
    for (const restore of this.restores.splice(this.restoresBefore).toReversed()) restore();
    if (this.mark !== undefined) this.locked?.undo(this.mark);
  }

  now(): number {
    return this.connection.now();
  }

  appended(event: AppendedEvent): void {
    this.events.push(event);
  }

  ifUndone(restore: () => void): void {
    this.restores.push(restore);
  }

  lock(logs: readonly string[]): void {
    const missing = this.locked?.missing(logs) ?? [];
    if (missing.length > 0) throw new LocksMissingError(missing);
  }
}
