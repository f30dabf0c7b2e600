import { setTimeout as delay } from 'node:timers/promises';

import type { QueryRunner } from 'typeorm';

import { Sqlite } from './sqlite.js';

const ATTEMPTS = 20;
const PAUSE_MS = 250;

/** Another process writes to the database. */
export class DatabaseInUseError extends Error {
  override readonly name = 'DatabaseInUseError';

  constructor(where: string) {
    super(
      `Another Parlance uses the database ${where}. ` +
        'One database has one gateway: stop the other one, or give this one its own ' +
        '(PARLANCE_DATA_DIR or DATABASE_URL).',
    );
  }
}

/**
 * Locks a SQLite database against a second process; gives the function that unlocks it.
 *
 * The lock is SQLite's own on a file beside the database: the kernel drops it with the process.
 *
 * @throws DatabaseInUseError after 5 s, the time that a predecessor has to end
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

/**
 * Locks a PostgreSQL schema on the writer's own connection.
 *
 * A writer that loses its connection loses the lock with it, so that no two ever write.
 *
 * @throws DatabaseInUseError after some attempts: 5 s, the time that a predecessor has to end
 */
export async function lockPostgres(
  runner: QueryRunner,
  schema: string,
  attempts = ATTEMPTS,
): Promise<void> {
  const taken = await retry(attempts, async () => {
    const rows = (await runner.query(
      `SELECT pg_try_advisory_lock(hashtext('parlance'), hashtext(current_database() || $1)) AS taken`,
      [schema],
    )) as { taken: boolean }[];
    return rows[0]?.taken === true;
  });
  if (!taken) throw new DatabaseInUseError(`(PostgreSQL, schema "${schema}")`);
}

async function retry(attempts: number, attempt: () => Promise<boolean>): Promise<boolean> {
  for (let left = attempts; ; left--) {
    if (await attempt()) return true;
    if (left === 1) return false;
    await delay(PAUSE_MS);
  }
}
