import { createHash } from 'node:crypto';

import type { Sql } from '../database/sql.js';
import type { DirectEntry } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { User } from '../protocol/models.js';
import { kindOfRoom } from '../protocol/names.js';

const ID_CHARS = 24;

/** The other user of a direct room, as that room has them. */
export interface Counterpart {
  readonly id: string;
  readonly isMember: boolean;
  /** Whether one of the two has blocked the other. */
  readonly isBlocked: boolean;
}

/** Where a page of direct rooms begins: after a room, by the time of its last event. */
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
 * Gives the id of the direct room of two users (P-5.16).
 *
 * It is made of the two, so that the primary key of the rooms is what makes it one.
 */
export function directRoomId(one: string, other: string): string {
  const users = JSON.stringify([one, other].sort());
  return `@dm-${createHash('sha256').update(users).digest('base64url').slice(0, ID_CHARS)}`;
}

/** Gives the two users that a direct room is between, by id; none for another room. */
export async function findDirectUsers(sql: Sql, room: string): Promise<User[]> {
  if (kindOfRoom(room) !== 'direct') return [];
  return sql.all<User>(
    `SELECT u.id, u.name, u.kind FROM direct_users d JOIN users u ON u.id = d.user_id
      WHERE d.room_id = ? ORDER BY u.id`,
    room,
  );
}

/** Finds the other user of a direct room; null if the room is not between the user and another. */
export async function findCounterpart(
  sql: Sql,
  room: string,
  userId: string,
): Promise<Counterpart | null> {
  const row = await sql.get<{ id: string; is_member: unknown; is_blocked: unknown }>(
    `SELECT d.user_id AS id,
            EXISTS (SELECT 1 FROM members m
                     WHERE m.room_id = d.room_id AND m.user_id = d.user_id) AS is_member,
            EXISTS (SELECT 1 FROM blocks b
                     WHERE (b.blocker_id = d.user_id AND b.blocked_id = o.user_id)
                        OR (b.blocker_id = o.user_id AND b.blocked_id = d.user_id)) AS is_blocked
       FROM direct_users o JOIN direct_users d ON d.room_id = o.room_id AND d.user_id <> o.user_id
      WHERE o.room_id = ? AND o.user_id = ?`,
    room,
    userId,
  );
  if (row === undefined) return null;
  // A truth is a number on SQLite.
  return { id: row.id, isMember: Boolean(row.is_member), isBlocked: Boolean(row.is_blocked) };
}

/**
 * Refuses a member who may only read: in a direct room, while one has blocked the other (P-8.3).
 *
 * @throws ProtocolError `blocked`
 */
export async function requireUnblocked(sql: Sql, room: string, userId: string): Promise<void> {
  if (kindOfRoom(room) !== 'direct') return;
  const counterpart = await findCounterpart(sql, room, userId);
  if (counterpart?.isBlocked === true) throw new ProtocolError('blocked');
}

/** Lists the direct rooms that a user is a member of, those with the latest event first. */
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
      WHERE m.user_id = ? AND (e.at < ? OR (e.at = ? AND r.id > ?))
      ORDER BY e.at DESC, r.id LIMIT ?`,
    ...[user.id, at, at, room, limit],
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
