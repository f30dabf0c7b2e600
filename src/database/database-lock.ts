import { setTimeout as delay } from 'node:timers/promises';

import type { QueryRunner } from 'typeorm';

import { StartError } from '../config/start-error.js';
import { Sqlite } from './sqlite.js';

const ATTEMPTS = 20;
const PAUSE_MS = 250;

/** Stops the start because another process writes to the database. */
export class DatabaseInUseError extends StartError {
  override readonly name = 'DatabaseInUseError';

  constructor(where: string) {
    super({
      what: 'Another Parlance uses the database.',
      where,
      remedy:
        'One database has one server: stop the other one, or give this one its own ' +
        '(PARLANCE_DATA_DIR or DATABASE_URL).',
    });
  }
}

/** Stops the start because several servers cannot share a SQLite database. */
export class UnshareableError extends StartError {
  override readonly name = 'UnshareableError';

  constructor(where: string) {
    super({
      what: 'Several servers cannot share a SQLite database.',
      where,
      remedy: 'Set DATABASE_URL to a PostgreSQL database.',
    });
  }
}

/**
 * Locks a SQLite database against a second process; returns the function that unlocks it.
 *
 * The lock is SQLite's lock on a file beside the database, which ends with the process.
 *
 * @throws DatabaseInUseError after 5 s, the time that a previous process has to end
 */
export async function lockSqlite(file: string): Promise<() => void> {
  const handle = new Sqlite(`${file}.lock`, { timeout: 0 });
  const taken = await retry(ATTEMPTS, async () => {
    try {
      handle.exec('BEGIN EXCLUSIVE');
      return true;
    } catch (error) {
      if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true) return false;
      throw error;
    }
  });
  if (!taken) {
    handle.close();
    throw new DatabaseInUseError(file);
  }
  return () => handle.close();
}

/** A lock of a PostgreSQL schema. */
export interface SchemaLock {
  readonly schema: string;
  /** Whether other servers may hold it too, if they share it as well. */
  readonly isShared: boolean;
}

/**
 * Locks a PostgreSQL schema on the writer's own connection.
 *
 * A writer that loses its connection also loses the lock, so that there are never two writers,
 * except among servers that share the schema.
 *
 * @throws DatabaseInUseError after 5 s by default, the time that a previous process has to end
 */
export async function lockPostgres(
  runner: QueryRunner,
  { schema, isShared }: SchemaLock,
  attempts = ATTEMPTS,
): Promise<void> {
  const lock = isShared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
  const taken = await retry(attempts, () => tryLock(runner, lock, 'parlance', schema));
  if (!taken) throw new DatabaseInUseError(`PostgreSQL, schema "${schema}"`);
}

/** Runs work while no other server that shares the schema runs its own. */
export async function whileAlone(
  runner: QueryRunner,
  schema: string,
  work: () => Promise<void>,
): Promise<void> {
  const [lock, key] = ['pg_try_advisory_lock', 'parlance alone'];
  await retry(Infinity, () => tryLock(runner, lock, key, schema));
  try {
    await work();
  } finally {
    await tryLock(runner, 'pg_advisory_unlock', key, schema);
  }
}

/** Calls a function for the lock of a schema; returns whether it took or released the lock. */
async function tryLock(
  runner: QueryRunner,
  call: string,
  key: string,
  schema: string,
): Promise<boolean> {
  const [row] = (await runner.query(
    `SELECT ${call}(hashtext($1), hashtext(current_database() || $2)) AS done`,
    [key, schema],
  )) as { done: boolean }[];
  return row?.done === true;
}

async function retry(attempts: number, attempt: () => Promise<boolean>): Promise<boolean> {
  for (let left = attempts; ; left--) {
    if (await attempt()) return true;
    if (left === 1) return false;
    await delay(PAUSE_MS);
  }
}
