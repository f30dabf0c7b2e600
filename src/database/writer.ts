import { setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';
import type { Sql } from './sql.js';
import { isStorageFault } from './storage-error.js';
import { SyncQueue } from './sync-queue.js';
import { isContention } from './storage-error.js';
import { WriteGroup, type DeclaredJob, type JobResult } from './write-group.js';
import {
  keyOf,
  type AppendedEvent,
  type DeclaredLog,
  type ShortForm,
  type WriteJob,
} from './write-job.js';
import type { WriterConnection } from './writer-connection.js';

const MAX_GROUP = 256;
/** Maximum number of logs that a transaction locks if other servers may wait for them. */
const MAX_LOGS = 64;
/** Number of jobs on PostgreSQL that are enough for a transaction, without waiting for more. */
const ENOUGH_JOBS = 64;
/** Minimum time between two commits while waiting gathers more jobs: commits are expensive. */
const GATHER_MS = 8;
/** Commits without waiting after waiting gathered nothing: a lone writer waits for each answer. */
const IMMEDIATE_COMMITS = 32;
/** Pause before the connection is opened again after it was lost during the comparison. */
const COMPARE_PAUSE_MS = 500;

/** Listens to commits. */
export interface CommitListener {
  /** Called after each commit, with its events in the order of their logs. */
  committed(events: readonly AppendedEvent[]): void;
  /**
   * Called after the connection was lost and restored, while jobs are still refused: commits of
   * which nobody knows the outcome may be stored.
   *
   * Returns a function that is called as soon as the database can be used.
   */
  restored(sql: Sql): Promise<() => void>;
}

/** A group and its jobs, without those that it left out. */
interface Group {
  readonly jobs: QueuedJob[];
  readonly write: WriteGroup;
}

interface QueuedJob extends DeclaredJob {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writer of the database.
 *
 * Jobs run one after another in the order of {@link run}. All jobs that wait share one transaction,
 * and resolve when it is committed and synced to the disk (group commit).
 */
export class Writer {
  private readonly logger = new Logger(Writer.name);
  private readonly listeners: CommitListener[] = [];
  private queue: QueuedJob[] = [];
  private working: Promise<void> | null = null;
  private readonly unsynced = new SyncQueue({
    sync: () => this.connection.sync(),
    syncFailed: (error) => this.syncFailed(error),
  });
  private readonly closing = new AbortController();
  private disconnected = false;
  private refused = false;
  private isSuspect = false;
  /** Time of the last commit or answer. */
  private lastActiveAt = 0;
  private immediateCommits = 0;
  /** The group that has begun behind the commit of the current one. */
  private next: Group | null = null;

  constructor(private readonly connection: WriterConnection) {}

  /** Registers a listener. */
  listen(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Returns whether the database cannot be used, so that all jobs are refused. */
  isDisconnected(): boolean {
    return this.disconnected;
  }

  /** Returns whether the database answers but refused the last changes, as with a full disk. */
  isRefused(): boolean {
    return this.refused;
  }

  /**
   * Runs a job in a transaction; resolves after the commit.
   *
   * `logs` are all logs whose rows guard the conditions of the job, or to which it appends. On
   * PostgreSQL they are locked before the job runs. Calls `onQueued` when the job has its place in
   * the order of writes.
   *
   * @throws ProtocolError `unavailable` if the database failed; also whatever the job throws
   */
  run<T>(
    logs: readonly DeclaredLog[],
    job: WriteJob<T>,
    onQueued?: () => void,
    short?: ShortForm<T>,
  ): Promise<T> {
    if (this.disconnected || this.closing.signal.aborted) {
      onQueued?.();
      return Promise.reject(new ProtocolError('unavailable'));
    }
    const result = new Promise<T>((resolve, reject) => {
      this.queue.push({ logs, job, short, resolve: resolve as (value: unknown) => void, reject });
      this.working ??= this.work();
    });
    onQueued?.();
    return result;
  }

  /** Returns the time of the database, in milliseconds since 1970, by which servers compare times. */
  now(): number {
    return this.connection.now();
  }

  /** Checks the connection between two groups. */
  check(): void {
    if (this.disconnected || this.closing.signal.aborted) return;
    this.isSuspect = true;
    this.working ??= this.work();
  }

  /** Resolves when all accepted jobs are committed and answered. */
  async drained(): Promise<void> {
    while (this.working !== null || this.unsynced.isBusy) {
      await this.working;
      await this.unsynced.drained();
    }
  }

  /**
   * Resolves when all commits so far survive a power cut and are announced; returns undefined if
   * they already do. Rejects with `unavailable`.
   */
  synced(): Promise<void> | undefined {
    return this.unsynced.reached(() => new ProtocolError('unavailable'));
  }

  /** Refuses new jobs and commits the accepted ones. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.drained();
  }

  private async work(): Promise<void> {
    try {
      while (this.queue.length > 0 || this.isSuspect || this.next !== null) {
        if (this.next === null) {
          if (this.isSuspect) await this.checkConnection();
          if (this.queue.length === 0) continue;
          await this.gather();
        }
        await this.commitGroup(this.takeNext());
        this.lastActiveAt = performance.now();
      }
    } finally {
      this.working = null;
    }
  }

  /** Waits for jobs to share the commit: one turn of the event loop, longer under load. */
  private async gather(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const pause = GATHER_MS - (performance.now() - this.lastActiveAt);
    if (pause < 1 || this.isFull() || this.closing.signal.aborted) return;
    if (this.immediateCommits > 0) {
      this.immediateCommits--;
      return;
    }
    const before = this.queue.length;
    await delay(pause);
    if (this.queue.length === before) this.immediateCommits = IMMEDIATE_COMMITS;
  }

  /** Returns whether enough jobs wait for a group. */
  private isFull(): boolean {
    return this.queue.length >= (this.connection.lockMs === null ? MAX_GROUP : ENOUGH_JOBS);
  }

  /** Returns the next group: the one that has begun, or one of the jobs of the queue. */
  private takeNext(): Group {
    const group = this.next ?? this.makeGroup(this.takeJobs());
    this.next = null;
    return group;
  }

  /** Removes the jobs of the next group from the queue. */
  private takeJobs(): QueuedJob[] {
    if (!this.connection.isShared) return this.queue.splice(0, MAX_GROUP);
    const logs = new Set<string>();
    let count = 0;
    for (const job of this.queue) {
      for (const log of job.logs) logs.add(keyOf(log));
      if (count === MAX_GROUP || (count > 0 && logs.size > MAX_LOGS)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  /** Makes a group, which returns jobs that it leaves out to the queue. */
  private makeGroup(jobs: QueuedJob[]): Group {
    const sent = (count: number): void => {
      this.queue.unshift(...jobs.splice(count));
      this.beginNext();
    };
    return { jobs, write: new WriteGroup(this.connection, jobs, { sent, failed: this.endNext }) };
  }

  /**
   * Begins the next group behind the commit of the current one, if its jobs wait already.
   *
   * So PostgreSQL locks their logs while this process announces the events of the current group.
   * Other servers would wait for these locks.
   */
  private beginNext(): void {
    const { lockMs, isShared } = this.connection;
    if (lockMs === null || isShared || this.isSuspect || !this.isFull()) return;
    this.next = this.makeGroup(this.takeJobs());
    this.next.write.beginEarly();
  }

  /** Returns the jobs of the next group to the queue: the commit that it has begun behind failed. */
  private readonly endNext = async (): Promise<void> => {
    const { next } = this;
    if (next === null) return;
    await next.write.settled();
    this.queue.unshift(...next.jobs);
    this.next = null;
  };

  private async commitGroup({ jobs, write }: Group): Promise<void> {
    try {
      this.committed(jobs, await write.commit());
    } catch (error) {
      if (isContention(error) && (await this.rollback())) await this.commitApart(jobs);
      else await this.fail(jobs, error);
    }
  }

  /** Commits a job alone, again with more locks if it needs them. */
  private async commitAlone(job: QueuedJob): Promise<void> {
    const owner = { sent: () => undefined, failed: () => Promise.resolve() };
    for (let results: JobResult[] = []; results.length === 0;) {
      results = await new WriteGroup(this.connection, [job], owner).commit();
      if (results.length > 0) this.committed([job], results);
    }
  }

  /** Answers jobs once their commit is on the disk. */
  private committed(jobs: readonly QueuedJob[], results: readonly JobResult[]): void {
    if (jobs.length === 0) return;
    this.unsynced.add({
      synced: () => this.settle(jobs, results),
      refused: () => refuse(jobs),
    });
  }

  /**
   * Commits jobs one by one, after other sessions were in the way of all of them together.
   *
   * Jobs whose logs others still hold are refused, as are the next jobs that need these logs.
   */
  private async commitApart(waiting: readonly QueuedJob[]): Promise<void> {
    const held = new Set<string>();
    for (const [index, job] of waiting.entries()) {
      if (job.logs.some((log) => held.has(keyOf(log)))) {
        refuse([job]);
        continue;
      }
      try {
        await this.commitAlone(job);
      } catch (error) {
        if (!isContention(error) || !(await this.rollback())) {
          await this.fail(waiting.slice(index), error);
          return;
        }
        this.logger.warn({ msg: 'Another session was in the way of a write', err: error });
        for (const log of job.logs) held.add(keyOf(log));
        refuse([job]);
      }
    }
    if (held.size > 0 && !(await this.connection.isUsable())) await this.recover();
  }

  private settle(waiting: readonly QueuedJob[], results: readonly JobResult[]): void {
    this.announce(results.flatMap(({ events }) => events));
    for (const [index, result] of results.entries()) {
      if ('error' in result) waiting[index]?.reject(result.error);
      else waiting[index]?.resolve(result.value);
    }
    // Clients that were answered may write again at once.
    this.lastActiveAt = performance.now();
  }

  /** Calls the listeners; commits are answered even if a listener throws. */
  private announce(events: readonly AppendedEvent[]): void {
    if (events.length === 0) return;
    if (this.refused) this.logger.log({ msg: 'The database accepts changes again' });
    this.refused = false;
    for (const listener of this.listeners) {
      try {
        listener.committed(events);
      } catch (error) {
        this.logger.error({ msg: 'A commit listener failed', err: error });
      }
    }
  }

  private async fail(group: readonly QueuedJob[], error: unknown): Promise<void> {
    // Only the first, so that the log does not fill the disk.
    this.logger[this.refused ? 'debug' : 'error']({ msg: 'A transaction failed', err: error });
    const isUndone = await this.rollback();
    // Set before the answers: a client may ask for the state of the server right after one.
    this.refused = isUndone;
    refuse(group);
    if (!isUndone || !(await this.connection.isUsable())) await this.recover();
  }

  /** Rolls back; returns false instead of throwing, since the callers need an answer. */
  private async rollback(): Promise<boolean> {
    try {
      return await this.connection.rollback();
    } catch (error) {
      this.logger.error({ msg: 'A transaction could not be rolled back', err: error });
      return false;
    }
  }

  private async checkConnection(): Promise<void> {
    this.isSuspect = false;
    if (!(await this.connection.isUsable())) await this.recover();
  }

  /** Refuses jobs until the database can be used again and memory was compared with it. */
  private async recover(): Promise<void> {
    this.disconnected = true;
    this.refused = false;
    refuse(this.queue.splice(0));
    const { signal } = this.closing;
    await this.connection.reopen(signal);
    while (!signal.aborted) {
      // Only once the lock is held again: before, an old transaction may still commit, and another
      // process may write.
      const actions = await this.compare();
      if (actions !== null) {
        this.disconnected = false;
        for (const act of actions) act();
        return;
      }
      await delay(COMPARE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      await this.connection.reopen(signal);
    }
  }

  /** Lets the listeners compare; returns null if the connection was lost again. */
  private async compare(): Promise<(() => void)[] | null> {
    const actions: (() => void)[] = [];
    for (const listener of this.listeners) {
      try {
        actions.push(await listener.restored(this.connection.sql));
      } catch (error) {
        this.logger.error({ msg: 'Memory could not be compared with the database', err: error });
        if (isStorageFault(error)) return null;
      }
    }
    return actions;
  }

  /** Refuses all jobs whose commits may not be on the disk. */
  private async syncFailed(error: unknown): Promise<void> {
    this.logger.error({ msg: 'Commits could not be synced to the disk', err: error });
    this.disconnected = true;
    refuse(this.queue.splice(0));
    await this.working;
    await this.recover();
  }
}

function refuse(jobs: readonly QueuedJob[]): void {
  for (const { reject } of jobs) reject(new ProtocolError('unavailable'));
}
