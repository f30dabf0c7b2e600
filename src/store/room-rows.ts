import { parameters, type Sql } from '../database/sql.js';
import type { Member, Position, Room, User } from '../protocol/models.js';
import { listDirectUsers } from './direct-rows.js';

interface RoomRow {
  id: string;
  kind: Room['kind'];
  title: string;
  epoch: string;
  head: number;
  owner_id: string | null;
  member_count: number;
  created_at: number;
}

interface AccessRow {
  kind: Room['kind'] | null;
  is_member: unknown;
  is_owner: unknown;
  is_participant: unknown;
  is_blocked: unknown;
}

interface MemberRow {
  id: string;
  name: string;
  kind: User['kind'];
  joined_at: number;
}

const ROOM_COLUMNS = 'id, kind, title, epoch, head, owner_id, member_count, created_at';
/** Logs whose positions are read by one query. */
const MOST_LOGS = 1_000;
const MEMBERS = `SELECT u.id, u.name, u.kind, m.joined_at
  FROM members m JOIN users u ON u.id = m.user_id WHERE m.room_id = $1`;

/** A room with the head of its log. */
export interface FoundRoom {
  readonly info: Room;
  readonly epoch: string;
  readonly head: number;
}

/** The relation of a user to a room. */
export interface Access {
  readonly kind: Room['kind'];
  readonly isMember: boolean;
  readonly isOwner: boolean;
  /** Whether the user is one of the two of a direct room, a member or not. */
  readonly isParticipant: boolean;
  /** Whether one of the two of a direct room has blocked the other; absent if not looked up. */
  readonly isBlocked?: boolean;
}

/** Finds a room; null if there is none. */
export async function findRoom(sql: Sql, id: string): Promise<FoundRoom | null> {
  const row = await sql.get<RoomRow>(
    `SELECT ${ROOM_COLUMNS} FROM rooms WHERE id = $1 AND kind <> 'own'`,
    id,
  );
  if (row === undefined) return null;
  return toFound(row, row.kind === 'direct' ? await listDirectUsers(sql, id) : []);
}

/** Finds the position of a log: that of a room or the own log of a user. */
export async function findPosition(sql: Sql, log: string): Promise<Position | null> {
  const found = await sql.get<Position>('SELECT epoch, head AS seq FROM rooms WHERE id = $1', log);
  return found ?? null;
}

/** Finds the positions of several logs, by log. */
export async function findPositions(
  sql: Sql,
  logs: readonly string[],
): Promise<Map<string, Position>> {
  const found = new Map<string, Position>();
  for (let from = 0; from < logs.length; from += MOST_LOGS) {
    const some = logs.slice(from, from + MOST_LOGS);
    // Padded to a few sizes, so that there are few prepared statements.
    const size = 10 ** Math.ceil(Math.log10(some.length));
    const rows = await sql.all<Position & { id: string }>(
      `SELECT id, epoch, head AS seq FROM rooms WHERE id IN (${parameters(size)})`,
      ...[...some, ...Array.from({ length: size - some.length }, () => null)],
    );
    for (const { id, epoch, seq } of rows) found.set(id, { epoch, seq });
  }
  return found;
}

/**
 * Returns the relation of a user to a room; null if there is no such room.
 *
 * Every part is evaluated whether the room exists or not, so that the time of an answer does not
 * tell strangers which direct rooms exist.
 */
export async function findAccess(sql: Sql, room: string, userId: string): Promise<Access | null> {
  const row = await sql.get<AccessRow>(
    `SELECT (SELECT kind FROM rooms WHERE id = $1 AND kind <> 'own') AS kind,
            EXISTS (SELECT 1 FROM members WHERE room_id = $1 AND user_id = $2) AS is_member,
            EXISTS (SELECT 1 FROM rooms WHERE id = $1 AND owner_id = $2) AS is_owner,
            EXISTS (SELECT 1 FROM direct_users
                     WHERE room_id = $1 AND user_id = $2) AS is_participant,
            EXISTS (SELECT 1 FROM direct_users me
                      JOIN direct_users o ON o.room_id = me.room_id AND o.user_id <> me.user_id
                      JOIN blocks b ON (b.blocker_id = me.user_id AND b.blocked_id = o.user_id)
                                    OR (b.blocker_id = o.user_id AND b.blocked_id = me.user_id)
                     WHERE me.room_id = $1 AND me.user_id = $2) AS is_blocked`,
    room,
    userId,
  );
  if (row === undefined || row.kind === null) return null;
  // SQLite returns booleans as numbers.
  return {
    kind: row.kind,
    isMember: Boolean(row.is_member),
    isOwner: Boolean(row.is_owner),
    isParticipant: Boolean(row.is_participant),
    isBlocked: Boolean(row.is_blocked),
  };
}

/** Lists public rooms after an id, ordered by id; with a user, only those the user is in. */
export async function listPublicRooms(
  sql: Sql,
  after: string,
  limit: number,
  memberId: string | null,
): Promise<Room[]> {
  const mine = 'AND id IN (SELECT room_id FROM members WHERE user_id = $3)';
  const rows = await sql.all<RoomRow>(
    `SELECT ${ROOM_COLUMNS} FROM rooms WHERE kind = 'public' AND id > $1
       ${memberId === null ? '' : mine} ORDER BY id LIMIT $2`,
    ...[after, limit, ...(memberId === null ? [] : [memberId])],
  );
  return rows.map((row) => toFound(row).info);
}

/** Finds one member of a room. */
export async function findMember(sql: Sql, room: Room, user: string): Promise<Member | null> {
  const row = await sql.get<MemberRow>(`${MEMBERS} AND u.id = $2`, room.id, user);
  return row === undefined ? null : toMember(row, room);
}

/** Lists all members of a room, in order of joining. */
export async function listMembers(sql: Sql, room: Room): Promise<Member[]> {
  const rows = await sql.all<MemberRow>(`${MEMBERS} ORDER BY m.joined_at, u.id`, room.id);
  return rows.map((row) => toMember(row, room));
}

/** Lists a page of members of a room, by user id. */
export async function pageMembers(
  sql: Sql,
  room: Room,
  after: string,
  limit: number,
): Promise<Member[]> {
  const rows = await sql.all<MemberRow>(
    `${MEMBERS} AND u.id > $2 ORDER BY u.id LIMIT $3`,
    room.id,
    after,
    limit,
  );
  return rows.map((row) => toMember(row, room));
}

/** Returns whether a user is a member of a room. */
export async function isMember(sql: Sql, room: string, user: string): Promise<boolean> {
  const row = await sql.get(
    'SELECT 1 AS yes FROM members WHERE room_id = $1 AND user_id = $2',
    room,
    user,
  );
  return row !== undefined;
}

/** Returns the role that a user has in a room as its member. */
export function roleIn(room: Room, user: string): Member['role'] {
  return room.owner === user ? 'owner' : 'member';
}

function toFound(row: RoomRow, users: readonly User[] = []): FoundRoom {
  const info: Room = {
    id: row.id,
    kind: row.kind,
    title: row.title,
    owner: row.owner_id,
    memberCount: row.member_count,
    createdAt: row.created_at,
    ...(users.length === 0 ? {} : { users: [...users] }),
  };
  return { info, epoch: row.epoch, head: row.head };
}

function toMember(row: MemberRow, room: Room): Member {
  return {
    user: { id: row.id, name: row.name, kind: row.kind },
    role: roleIn(room, row.id),
    joinedAt: row.joined_at,
  };
}
