import type { Sql } from '../database/sql.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Room } from '../protocol/models.js';
import { isDirectRoomId, OWN_ROOM } from '../protocol/names.js';
import { findAccess, type Access } from '../store/room-rows.js';

type RoomKind = Room['kind'];
/** The parts of {@link Access} that decide whether a block stops an act. */
type Blockable = Pick<Access, 'kind' | 'isBlocked'>;

/** Users that a rule allows. A participant is one of the two of a direct room, a member or not. */
type Who =
  | 'anyone'
  | 'participant'
  | 'unblocked participant'
  | 'member'
  | 'unblocked member'
  | 'owning member'
  | 'owner';

/** An act in a room. */
export type Act =
  /** Learn that the room exists, and what it is called. */
  | 'find'
  /** Read messages and members without being a user or a member (P-10.7). */
  | 'observe'
  | 'join'
  /** Make the other user of a direct room a member, or create the room with both as members. */
  | 'invite'
  | 'leave'
  /** Read the log, messages, members and files, and receive events. */
  | 'read'
  | 'send'
  | 'edit'
  | 'editOthers'
  | 'delete'
  | 'deleteOthers'
  | 'react'
  | 'unreact'
  | 'type'
  | 'update'
  /** Add bots, change their scopes, and remove them. */
  | 'manageBots';

/** The users that may do each act, by kind of room; an act that is missing is allowed to no one. */
const RULES: Readonly<Record<RoomKind, Readonly<Partial<Record<Act, Who>>>>> = {
  public: {
    find: 'anyone',
    observe: 'anyone',
    join: 'anyone',
    leave: 'member',
    read: 'member',
    send: 'member',
    edit: 'member',
    delete: 'member',
    deleteOthers: 'owning member',
    react: 'member',
    unreact: 'member',
    type: 'member',
    // A room keeps its owner even when the owner leaves it (P-5.2).
    update: 'owner',
    manageBots: 'owning member',
  },
  direct: {
    find: 'member',
    join: 'participant',
    invite: 'unblocked participant',
    leave: 'member',
    read: 'member',
    send: 'unblocked member',
    edit: 'unblocked member',
    delete: 'member',
    react: 'unblocked member',
    unreact: 'member',
    type: 'unblocked member',
  },
};

/** Messages of `forbidden`, for members who may not do something. */
const FORBIDDEN: Readonly<Partial<Record<Act, string>>> = {
  editOthers: 'Only its sender may edit a message.',
  deleteOthers: 'Only its sender or the owner of the room may delete a message.',
  update: 'Only the owner may change the room.',
  manageBots:
    'Only the room owner can add and remove bots; ' +
    'PARLANCE_ROOM_BOTS sets the bots of the default room.',
};

/** Returns whether a user may do something in a room; blocks do not count. */
export function may(act: Act, access: Access): boolean {
  const who = RULES[access.kind][act];
  if (who === undefined) return false;
  switch (who) {
    case 'anyone':
      return true;
    case 'participant':
    case 'unblocked participant':
      return access.isParticipant;
    case 'member':
    case 'unblocked member':
      return access.isMember;
    case 'owning member':
      return access.isMember && access.isOwner;
    case 'owner':
      return access.isOwner;
  }
}

/** Returns whether anyone may do something in a room, even without being a user. */
export function mayAnyone(act: Act, kind: RoomKind): boolean {
  return RULES[kind][act] === 'anyone';
}

/** Returns whether blocks between the users of a room count for an act (P-8.3). */
export function dependsOnBlocks(act: Act, kind: RoomKind): boolean {
  return RULES[kind][act]?.startsWith('unblocked ') === true;
}

/** Returns whether a block stops an act; blocks that were not looked up may exist. */
export function isBlockedFrom(act: Act, { kind, isBlocked }: Blockable): boolean {
  return dependsOnBlocks(act, kind) && isBlocked !== false;
}

/**
 * Requires that no block stops an act.
 *
 * @throws ProtocolError `blocked`
 */
export function requireUnblocked(act: Act, room: Blockable): void {
  if (isBlockedFrom(act, room)) throw new ProtocolError('blocked');
}

/**
 * Requires that a user may do something in a room.
 *
 * @throws ProtocolError `not_found` if the user may not know of the room, `not_member`,
 *   `forbidden`, `blocked`
 */
export function requireMay(act: Act, access: Access | null): asserts access is Access {
  if (access === null) throw noSuchRoom();
  if (!may(act, access)) throw refusalOf(act, access);
  requireUnblocked(act, access);
}

/**
 * Requires that a user may do something in a room, as the database has it.
 *
 * @throws ProtocolError as {@link requireMay} does
 */
export async function requireAccess(
  sql: Sql,
  act: Act,
  room: string,
  userId: string,
): Promise<Access> {
  const access = await findAccess(sql, room, userId);
  requireMay(act, access);
  return access;
}

/** Returns the error for a user who is not a member, or a connection that is not attached (P-4.2). */
export function notMember(): ProtocolError {
  return new ProtocolError('not_member');
}

/** Returns the error for a room that does not exist, or that the user may not know of (P-5.16). */
export function noSuchRoom(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such room.' });
}

/**
 * Refuses the own log of a user where a room is meant (P-5.14).
 *
 * @throws ProtocolError `forbidden`
 */
export function refuseOwnLog(room: string): void {
  if (room !== OWN_ROOM) return;
  throw new ProtocolError('forbidden', { message: `${OWN_ROOM} is your own log, not a room.` });
}

/**
 * Refuses an id that `room.create` cannot use (P-5.2).
 *
 * @throws ProtocolError `forbidden`
 */
export function refuseReservedId(room: string): void {
  refuseOwnLog(room);
  if (!isDirectRoomId(room)) return;
  throw new ProtocolError('forbidden', { message: 'Use dm.open to create a direct room.' });
}

function refusalOf(act: Act, access: Access): ProtocolError {
  if (!may('find', access)) return noSuchRoom();
  const isForOwner = RULES[access.kind][act] === 'owner';
  if (!access.isMember && !isForOwner) return notMember();
  const message = FORBIDDEN[act];
  return new ProtocolError('forbidden', message === undefined ? {} : { message });
}
