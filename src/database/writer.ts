import { setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { LogEvent } from '../protocol/events.js';
import type { Message } from '../protocol/models.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Sql } from './sql.js';
import { SyncQueue } from './sync-queue.js';
import { WriteGroup, type JobResult } from './write-group.js';
import type { WriterConnection } from './writer-connection.js';

const MAX_GROUP = 256;
/** Least time between two commits while gathering helps; a commit costs more than what is in it. */
const GATHER_MS = 8;
/** Commits without gathering after it was of no use: a lone writer waits for each answer. */
const HASTY_COMMITS = 32;

/** An event that a transaction appended to the log of a room. */
export interface AppendedEvent {
  /** Key of the log: the id of the room, or that of a user's own log. */
  readonly log: string;
  readonly epoch: string;
  readonly event: LogEvent;
  /** The message that the event is about, as it is now. */
  readonly message?: Message;
}

/** What a job may do in its transaction. */
export interface WriteTransaction {
  readonly sql: Sql;
  readonly manager: EntityManager;
  /** Hands an event to the listeners, once it is committed. */
  appended(event: AppendedEvent): void;
  /** Has something in memory set back if what the job wrote is undone, the latest first. */
  ifUndone(restore: () => void): void;
}

/** Work on the database that succeeds or is undone as a whole; it may be run once more then. */
export type WriteJob<T> = (tx: WriteTransaction) => Promise<T>;

/** Learns what was committed. */
export interface CommitListener {
  /** Called after each commit, with its events in the order of their logs. */
  committed(events: readonly AppendedEvent[]): void;
  /** Called when the writer is back after its connection was gone: memory is worth nothing. */
  lost(): void;
}

interface Waiting {
  readonly job: WriteJob<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writer of the database.
 *
 * Jobs run one after another in the order of {@link run}; all that wait share one transaction,
 * and are answered when it is committed and synced to the disk (group commit).
 */
export class Writer {
  private readonly logger = new Logger(Writer.name);
  private readonly listeners: CommitListener[] = [];
  private queue: Waiting[] = [];
  private working: Promise<void> | null = null;
  private readonly unsynced = new SyncQueue({
    sync: () => this.connection.sync(),
    syncFailed: (error) => this.syncFailed(error),
  });
  private readonly closing = new AbortController();
  private away = false;
  private refused = false;
  /** When something was last committed or announced. */
  private busyAt = 0;
  private hasty = 0;

  constructor(private readonly connection: WriterConnection) {}

  /** Adds somebody who learns of commits. */
  listen(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Tells whether the database, which is there, refused the last changes: its disk may be full. */
  isRefused(): boolean {
    return this.refused;
  }

  /**
   * Runs a job in a transaction; resolves after the commit.
   *
   * `placed` is called when the job has its place in the order of writes.
   *
   * @throws ProtocolError `unavailable` when the database failed or is away; what the job throws
   */
  run<T>(job: WriteJob<T>, placed?: () => void): Promise<T> {
    if (this.away || this.closing.signal.aborted) {
      placed?.();
      return Promise.reject(new ProtocolError('unavailable'));
    }
    const result = new Promise<T>((resolve, reject) => {
      this.queue.push({ job, resolve: resolve as (value: unknown) => void, reject });
      this.working ??= this.work();
    });
    placed?.();
    return result;
  }

  /** Resolves when everything that was accepted is committed and answered. */
  async drained(): Promise<void> {
    while (this.working !== null || this.unsynced.isBusy) {
      await this.working;
      await this.unsynced.drained();
    }
  }

  /**
   * Resolves when everything that is committed by now survives a power cut and is announced;
   * undefined if it does. Rejects with `unavailable`.
   */
  synced(): Promise<void> | undefined {
    return this.unsynced.reached(() => new ProtocolError('unavailable'));
  }

  /** Commits what is accepted, then refuses more. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.drained();
  }

  private async work(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        await this.gather();
        await this.commitGroup(this.queue.splice(0, MAX_GROUP));
        this.busyAt = performance.now();
      }
    } finally {
      this.working = null;
    }
  }

  /** Waits for others to share the commit: one turn, or longer while commits follow each other. */
  private async gather(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const pause = GATHER_MS - (performance.now() - this.busyAt);
    if (pause < 1 || this.queue.length >= MAX_GROUP || this.closing.signal.aborted) return;
    if (this.hasty > 0) {
      this.hasty--;
      return;
    }
    const before = this.queue.length;
    await delay(pause);
    if (this.queue.length === before) this.hasty = HASTY_COMMITS;
  }

  private async commitGroup(waiting: readonly Waiting[]): Promise<void> {
    const group = new WriteGroup(
      this.connection,
      waiting.map(({ job }) => job),
    );
    try {
      const results = await group.commit();
      this.unsynced.add({
        synced: () => this.settle(waiting, results),
        refused: () => refuse(waiting),
      });
    } catch (error) {
      await this.fail(waiting, error);
    }
  }

  private settle(waiting: readonly Waiting[], results: readonly JobResult[]): void {
    this.announce(results.flatMap(({ events }) => events));
    for (const [index, result] of results.entries()) {
      if ('error' in result) waiting[index]?.reject(result.error);
      else waiting[index]?.resolve(result.value);
    }
    // Those who were answered may write again at once.
    this.busyAt = performance.now();
  }

  /** What is committed is answered in any case, whatever a listener makes of it. */
  private announce(events: readonly AppendedEvent[]): void {
    if (events.length === 0) return;
    if (this.refused) this.logger.log({ msg: 'The database takes changes again' });
    this.refused = false;
    for (const listener of this.listeners) {
      try {
        listener.committed(events);
      } catch (error) {
        this.logger.error({ msg: 'A listener of commits failed', err: error });
      }
    }
  }

  private async fail(group: readonly Waiting[], error: unknown): Promise<void> {
    // A line for each would fill what is left of a disk.
    this.logger[this.refused ? 'debug' : 'error']({ msg: 'A transaction failed', err: error });
    if (await this.connection.rollback()) {
      this.refused = true;
      refuse(group);
      return;
    }
    refuse(group);
    await this.comeBack();
  }

  /** Takes no more jobs until the database can be used again, and tells that memory is old. */
  private async comeBack(): Promise<void> {
    this.away = true;
    refuse(this.queue.splice(0));
    await this.connection.reopen(this.closing.signal);
    if (this.closing.signal.aborted) return;
    this.away = false;
    // Not before the lock is held again: until then an old transaction may still commit, and
    // another process may write.
    for (const listener of this.listeners) listener.lost();
  }

  /** Nobody knows what of the commits is on the disk, so nobody is told that they are. */
  private async syncFailed(error: unknown): Promise<void> {
    this.logger.error({ msg: 'What was committed did not reach the disk', err: error });
    this.away = true;
    refuse(this.queue.splice(0));
    await this.working;
    await this.comeBack();
  }
}

function refuse(jobs: readonly Waiting[]): void {
  for (const { reject } of jobs) reject(new ProtocolError('unavailable'));
}
