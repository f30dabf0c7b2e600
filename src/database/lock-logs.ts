import { DATABASE_TIME, type DatabaseClock } from './database-clock.js';
import { LockedLogs, type LogRow } from './locked-logs.js';
import type { PostgresSql } from './sql.js';
import { keyOf, type DeclaredLog, type NewLog } from './write-job.js';

/**
 * Inserts logs that may be missing, in the order of the locks. A new log waits for another
 * transaction that inserts it. Until a room is created, its kind `own` hides it.
 */
const INSERT_LOGS = `INSERT INTO rooms
    (id, kind, title, epoch, head, head_at, owner_id, member_count, created_at)
  SELECT log, 'own', '', epoch, 0, 0, owner, 1, CAST(extract(epoch FROM now()) * 1000 AS bigint)
    FROM json_to_recordset($1) AS k(log text, epoch text, owner text)
   ORDER BY log COLLATE "C"
  ON CONFLICT (id) DO NOTHING RETURNING id`;
/** Reads the clock last: a lock may have been granted after seconds. */
const LOCK_LOGS = `SELECT k.id, k.epoch, k.head, k.head_at,
    ${DATABASE_TIME} AS clock
  FROM (SELECT id, epoch, head, head_at FROM rooms WHERE id = ANY($1) ORDER BY id
          FOR NO KEY UPDATE) k`;
const STORE_HEADS = `UPDATE rooms SET head = k.head, head_at = k.at
  FROM json_to_recordset($1) AS k(id text, head integer, at bigint) WHERE rooms.id = k.id`;
/** Deletes the logs that no job has used; an own log is used if its user is stored. */
const DELETE_UNUSED = `DELETE FROM rooms WHERE id = ANY($1) AND head = 0
  AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = rooms.owner_id)`;

interface Locked extends LogRow {
  readonly clock: number;
}

/** The logs of a transaction: those locked, and those that it inserted. */
export interface LogLocks {
  readonly locked: LockedLogs;
  readonly inserted: readonly string[];
}

/**
 * Locks logs, in the order of their keys, in a statement of its own.
 *
 * Under READ COMMITTED, each later statement sees all that was committed before the locks were
 * granted. Sends all statements at once.
 */
export async function lockLogs(
  sql: PostgresSql,
  clock: DatabaseClock,
  declared: readonly DeclaredLog[],
): Promise<LogLocks> {
  const created = new Map<string, NewLog>();
  for (const log of declared) if (typeof log !== 'string') created.set(log.log, log);
  const keys = new Set(declared.map(keyOf));
  const rows = JSON.stringify([...created.values()]);
  const none = Promise.resolve([]);
  const inserting = created.size === 0 ? none : sql.all<{ id: string }>(INSERT_LOGS, rows);
  const locking = keys.size === 0 ? none : sql.all<Locked>(LOCK_LOGS, toArray(keys));
  await settle([inserting, locking]);
  const found = await locking;
  const time = found[0]?.clock;
  if (time !== undefined) clock.set(time);
  const inserted = (await inserting).map(({ id }) => id);
  return { locked: new LockedLogs(keys, found, clock), inserted };
}

/** Sends the rows to insert, without waiting; {@link storeLogs} waits for the answers. */
export function sendRows(sql: PostgresSql, locked: LockedLogs): void {
  for (const [statement, rows] of locked.takeRows()) {
    const answer = sql.run(statement, rows);
    // The answer is awaited before the commit; until then, a failure is not unhandled.
    answer.catch(() => undefined);
    locked.sent.push(answer);
  }
}

/** Sends everything that the logs still need before the commit; returns the answers. */
export function storeLogs(sql: PostgresSql, { locked, inserted }: LogLocks): Promise<void>[] {
  sendRows(sql, locked);
  const answers = [...locked.sent];
  const heads = locked.newHeads();
  if (heads.length > 0) answers.push(sql.run(STORE_HEADS, JSON.stringify(heads)));
  if (inserted.length > 0) answers.push(sql.run(DELETE_UNUSED, toArray(inserted)));
  return answers;
}

/** Waits for all; throws the first error in their order, once none is pending. */
export async function settle(promises: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** Writes keys as an array of PostgreSQL. */
function toArray(keys: Iterable<string>): string {
  const quoted = [...keys].map((key) => `"${key.replace(/[\\"]/g, '\\$&')}"`);
  return `{${quoted.join(',')}}`;
}
