import { createHash } from 'node:crypto';

import type { Sql } from '../database/sql.js';
import type { DirectEntry } from '../protocol/commands.js';
import type { User } from '../protocol/models.js';

const ID_CHARS = 24;

/** Start of a page of direct rooms: the time of the last event of a room, and the room. */
export interface DirectBound {
  readonly at: number;
  readonly room: string;
}

interface DirectRow extends User {
  room: string;
  head: number;
  member_count: number;
  created_at: number;
  at: number;
}

/**
 * Returns the id of the direct room of two users (P-5.16).
 *
 * The id is derived from both users, so the primary key of the rooms prevents a second room.
 */
export function directRoomId(one: string, other: string): string {
  const users = JSON.stringify([one, other].sort());
  return `@dm-${createHash('sha256').update(users).digest('base64url').slice(0, ID_CHARS)}`;
}

/** Returns the two users of a direct room, ordered by id. */
export function listDirectUsers(sql: Sql, room: string): Promise<User[]> {
  return sql.all<User>(
    `SELECT u.id, u.name, u.kind FROM direct_users d JOIN users u ON u.id = d.user_id
      WHERE d.room_id = $1 ORDER BY u.id`,
    room,
  );
}

/** Returns the other user of a direct room if that user has left it; null otherwise. */
export async function findAbsentCounterpart(
  sql: Sql,
  room: string,
  userId: string,
): Promise<User | null> {
  const row = await sql.get<User>(
    `SELECT u.id, u.name, u.kind FROM direct_users d JOIN users u ON u.id = d.user_id
      WHERE d.room_id = $1 AND d.user_id <> $2
        AND NOT EXISTS (SELECT 1 FROM members m
                         WHERE m.room_id = d.room_id AND m.user_id = d.user_id)`,
    room,
    userId,
  );
  return row ?? null;
}

/** Lists the direct rooms that a user is a member of, latest event first. */
export async function listDirectRooms(
  sql: Sql,
  user: User,
  { at, room }: DirectBound,
  limit: number,
): Promise<DirectEntry[]> {
  const rows = await sql.all<DirectRow>(
    `SELECT r.id AS room, r.head, r.member_count, r.created_at, e.at, u.id, u.name, u.kind
       FROM members m JOIN rooms r ON r.id = m.room_id
       JOIN room_events e ON e.room_id = r.id AND e.seq = r.head
       JOIN direct_users d ON d.room_id = r.id AND d.user_id <> m.user_id
       JOIN users u ON u.id = d.user_id
      WHERE m.user_id = $1 AND (e.at < $2 OR (e.at = $2 AND r.id > $3))
      ORDER BY e.at DESC, r.id LIMIT $4`,
    ...[user.id, at, room, limit],
  );
  return rows.map((row) => toEntry(row, user));
}

function toEntry({ id, name, kind, ...row }: DirectRow, user: User): DirectEntry {
  const other = { id, name, kind };
  return {
    info: {
      ...{ id: row.room, kind: 'direct', title: '', owner: null },
      ...{ memberCount: row.member_count, createdAt: row.created_at },
      users: other.id < user.id ? [other, user] : [user, other],
    },
    seq: row.head,
    at: row.at,
  };
}
