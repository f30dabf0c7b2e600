import type { Sql } from '../database/sql.js';
import type { Member, Room, User } from '../protocol/models.js';
import { ProtocolError } from '../protocol/errors.js';
import { kindOfRoom } from '../protocol/names.js';
import { findDirectUsers } from './direct-rows.js';

interface RoomRow {
  id: string;
  title: string;
  epoch: string;
  head: number;
  owner_id: string | null;
  member_count: number;
  created_at: number;
}

interface MemberRow {
  id: string;
  name: string;
  kind: User['kind'];
  joined_at: number;
}

const ROOM_COLUMNS = 'id, title, epoch, head, owner_id, member_count, created_at';
const MEMBERS = `SELECT u.id, u.name, u.kind, m.joined_at
  FROM members m JOIN users u ON u.id = m.user_id WHERE m.room_id = ?`;

/** A room with the head of its log. */
export interface FoundRoom {
  readonly info: Room;
  readonly epoch: string;
  readonly head: number;
}

/** Finds a room or an own log; null if there is none. */
export async function findRoom(sql: Sql, id: string): Promise<FoundRoom | null> {
  const row = await sql.get<RoomRow>(`SELECT ${ROOM_COLUMNS} FROM rooms WHERE id = ?`, id);
  return row === undefined ? null : toFound(row, await findDirectUsers(sql, id));
}

/** Lists rooms after an id, by id; with a user, only the rooms of that user. */
export async function listRooms(
  sql: Sql,
  after: string,
  limit: number,
  memberId: string | null,
): Promise<Room[]> {
  const mine = 'AND id IN (SELECT room_id FROM members WHERE user_id = ?)';
  const rows = await sql.all<RoomRow>(
    `SELECT ${ROOM_COLUMNS} FROM rooms WHERE id > ? AND id NOT LIKE '@%'
       ${memberId === null ? '' : mine} ORDER BY id LIMIT ?`,
    ...(memberId === null ? [after, limit] : [after, memberId, limit]),
  );
  return rows.map((row) => toFound(row).info);
}

/** Lists all members of a room in the order of their joins. */
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
    `${MEMBERS} AND u.id > ? ORDER BY u.id LIMIT ?`,
    room.id,
    after,
    limit,
  );
  return rows.map((row) => toMember(row, room));
}

/** Tells whether a user is a member of a room. */
export async function isMember(sql: Sql, room: string, user: string): Promise<boolean> {
  const row = await sql.get(
    'SELECT 1 AS yes FROM members WHERE room_id = ? AND user_id = ?',
    room,
    user,
  );
  return row !== undefined;
}

/**
 * Refuses who is no member of a room; a direct room is there for its members alone.
 *
 * @throws ProtocolError `not_found`, `not_member`
 */
export async function requireMember(sql: Sql, room: string, user: string): Promise<void> {
  if (await isMember(sql, room, user)) return;
  // What would tell that it exists is not even looked up.
  const isPublic = kindOfRoom(room) === 'public';
  if (isPublic && (await findRoom(sql, room)) !== null) throw new ProtocolError('not_member');
  throw noSuchRoom();
}

/** Makes the error for a room that is not there, or not for who asks (P-5.16). */
export function noSuchRoom(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such room.' });
}

function toFound(row: RoomRow, users: readonly User[] = []): FoundRoom {
  const info: Room = {
    id: row.id,
    kind: kindOfRoom(row.id),
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
    role: room.owner === row.id ? 'owner' : 'member',
    joinedAt: row.joined_at,
  };
}
