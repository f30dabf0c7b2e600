import type { Sql } from '../database/sql.js';
import type { User } from '../protocol/models.js';

/** Returns whether one of two users has blocked the other (P-8.3). */
export async function areBlocked(sql: Sql, one: string, other: string): Promise<boolean> {
  const row = await sql.get(
    `SELECT 1 AS yes FROM blocks
      WHERE (blocker_id = $1 AND blocked_id = $2) OR (blocker_id = $2 AND blocked_id = $1)`,
    one,
    other,
  );
  return row !== undefined;
}

/** Returns whether a user blocks another. */
export async function isBlocking(sql: Sql, blocker: string, blocked: string): Promise<boolean> {
  const statement = 'SELECT 1 AS yes FROM blocks WHERE blocker_id = $1 AND blocked_id = $2';
  return (await sql.get(statement, blocker, blocked)) !== undefined;
}

/** Lists a page of the users that a user blocks, by id. */
export function pageBlocked(
  sql: Sql,
  blocker: string,
  after: string,
  limit: number,
): Promise<User[]> {
  return sql.all<User>(
    `SELECT u.id, u.name, u.kind FROM blocks b JOIN users u ON u.id = b.blocked_id
      WHERE b.blocker_id = $1 AND b.blocked_id > $2 ORDER BY b.blocked_id LIMIT $3`,
    ...[blocker, after, limit],
  );
}
