import type { EntityManager } from 'typeorm';

import type { LogEvent } from '../protocol/events.js';
import type { Message } from '../protocol/models.js';
import type { LockedLogs } from './locked-logs.js';
import type { Sql } from './sql.js';

/** An event that a transaction appended to the log of a room. */
export interface AppendedEvent {
  /** Key of the log: the id of the room, or that of a user's own log. */
  readonly log: string;
  readonly epoch: string;
  readonly event: LogEvent;
  /** The message that the event is about, in its current form. */
  readonly message?: Message;
}

/** A log that is created, for the time of a transaction at least, if it is missing. */
export interface NewLog {
  readonly log: string;
  readonly epoch: string;
  /** The user whose own log it is; null for the log of a room. */
  readonly owner: string | null;
}

/** A log that a job touches: the key of one that exists, or one that may be missing. */
export type DeclaredLog = string | NewLog;

/** The transaction of a job. */
export interface WriteTransaction {
  readonly sql: Sql;
  readonly manager: EntityManager;
  /** The logs locked on PostgreSQL; null on SQLite, whose transactions lock the whole database. */
  readonly locked: LockedLogs | null;
  /** Returns the time of the database, in milliseconds since 1970. */
  now(): number;
  /** Passes an event to the listeners once it is committed. */
  appended(event: AppendedEvent): void;
  /** Registers a function that restores memory if the job is undone; the latest runs first. */
  ifUndone(restore: () => void): void;
  /**
   * Requires locks on logs that the job learned of only now.
   *
   * If one is missing, the job ends here, is undone, and runs again with all of them locked. A job
   * calls this before it changes anything, and reads its conditions again when it runs again.
   */
  lock(logs: readonly string[]): void;
}

/** Work that is committed or undone as a whole. It may run a second time after it was undone. */
export type WriteJob<T> = (tx: WriteTransaction) => Promise<T>;

/** A question that one statement answers for many jobs. */
export interface Lookup<Question, Answer> {
  /** Answers questions, in their order. */
  ask(sql: Sql, questions: readonly Question[]): Promise<Answer[]>;
}

/**
 * A job in a short form for PostgreSQL, where each statement costs a round trip.
 *
 * The answer is read after the logs are locked. It is used only if no other job of the transaction
 * has touched the log since.
 */
export interface ShortForm<T, Question = unknown, Answer = unknown> {
  readonly lookup: Lookup<Question, Answer>;
  readonly question: Question;
  /** The log that the answer depends on. */
  readonly log: string;
  /** Key of the row that the job adds; one job per key and group uses its short form. */
  readonly key: string;
  /** Does the job without a statement; returns undefined if the job itself has to run. */
  run(tx: WriteTransaction, locked: LockedLogs, answer: Answer): T | undefined;
}

/** Ends a job that needs more locks than it has; the group repeats it with them. */
export class LocksMissingError extends Error {
  override readonly name = 'LocksMissingError';

  constructor(readonly logs: readonly string[]) {
    super('The job needs more locks');
  }
}

/** Returns the key of a declared log. */
export function keyOf(declared: DeclaredLog): string {
  return typeof declared === 'string' ? declared : declared.log;
}
