import { randomBytes } from 'node:crypto';

import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Reader } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { foldRoomName, kindOfRoom, OWN_ROOM } from '../protocol/names.js';
import type { Member, Room, User } from '../protocol/models.js';
import { toUser, type Actor, type Caller } from '../users/actor.js';
import { UsersService } from '../users/users.service.js';
import { MemberEntity } from './member.entity.js';
import { RoomEntity } from './room.entity.js';
import { RoomLog } from './room-log.js';
import {
  findRoom,
  isMember,
  listRooms,
  noSuchRoom,
  pageMembers,
  requireMember,
} from './room-rows.js';

const LIST_PAGE = 50;

/** Called before a room is made; throws when the user may make no more. */
export type CreationLimit = (tx: WriteTransaction) => void;

/** Rooms and their members (P-5). */
@Injectable()
export class RoomsService implements OnApplicationBootstrap {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /** Makes the default room at the first start (P-5.13). */
  async onApplicationBootstrap(): Promise<void> {
    const title = this.config.defaultRoom;
    const id = foldRoomName(title) ?? title;
    await this.writer.run(async (tx) => {
      if ((await findRoom(tx.sql, id)) !== null) return;
      await this.insertRoom(tx, { id, kind: 'public', title, owner: null });
    });
  }

  /** Makes a room and its owner's membership (P-5.2). */
  async create(
    { actor, placed }: Caller,
    { room, title }: CommandData<'room.create'>,
    limit: CreationLimit,
  ): Promise<void> {
    refuseOwnLog(room);
    if (kindOfRoom(room) === 'direct') {
      throw new ProtocolError('forbidden', { message: 'A direct room is made by dm.open.' });
    }
    await this.writer.run(async (tx) => {
      if ((await findRoom(tx.sql, room)) !== null) throw new ProtocolError('room_exists');
      await this.requirePlace(tx, actor);
      limit(tx);
      await this.users.store(tx, actor);
      const info = await this.insertRoom(tx, newRoom(room, title, actor));
      await this.addMember(tx, info, actor);
    }, placed);
  }

  /** Makes the caller a member, once, and the room too if that is asked for (P-5.4). */
  async join(
    { actor, placed }: Caller,
    { room, create, title }: CommandData<'room.join'>,
    limit: CreationLimit,
  ): Promise<void> {
    refuseOwnLog(room);
    await this.writer.run(async (tx) => {
      if (await isMember(tx.sql, room, actor.id)) return;
      let info = (await findRoom(tx.sql, room))?.info;
      if (info === undefined && create !== true) throw noSuchRoom();
      await this.requirePlace(tx, actor);
      if (info === undefined) limit(tx);
      await this.users.store(tx, actor);
      info ??= await this.insertRoom(tx, newRoom(room, title, actor));
      await this.addMember(tx, info, actor);
    }, placed);
  }

  /** Ends the membership of the caller; gives the position of that (P-5.6). */
  async leave({ actor, placed }: Caller, room: string): Promise<number> {
    refuseOwnLog(room);
    return this.writer.run((tx) => this.leaveIn(tx, toUser(actor), room, 'left'), placed);
  }

  /** Ends a membership as part of a transaction; gives the position of that. */
  async leaveIn(
    tx: WriteTransaction,
    user: User,
    room: string,
    reason: 'left' | 'away',
  ): Promise<number> {
    await requireMember(tx.sql, room, user.id);
    await tx.manager.delete(MemberEntity, { roomId: room, userId: user.id });
    const memberCount = await this.countMembers(tx, room, -1);
    const place = await this.log.append(tx, room, 'member.left', { user, reason, memberCount });
    return place.seq;
  }

  /** Changes the title; the owner may (P-5.7). */
  async update(
    { actor, placed }: Caller,
    { room, title }: CommandData<'room.update'>,
  ): Promise<Room> {
    refuseOwnLog(room);
    return this.writer.run(async (tx) => {
      if (kindOfRoom(room) === 'direct') await requireMember(tx.sql, room, actor.id);
      const found = await findRoom(tx.sql, room);
      if (found === null) throw noSuchRoom();
      if (found.info.owner !== actor.id) {
        throw new ProtocolError('forbidden', { message: 'Only the owner may change the room.' });
      }
      const info = { ...found.info, title };
      if (found.info.title === title) return info;
      await tx.manager.update(RoomEntity, { id: room }, { title });
      await this.log.append(tx, room, 'room.updated', { info });
      return info;
    }, placed);
  }

  /** Lists a page of the public rooms, by id (P-5.7). */
  async list(
    { id }: Actor,
    { after = '', limit = LIST_PAGE, mine = false }: CommandData<'room.list'>,
  ): Promise<ReplyData<'room.list'>> {
    const rooms = await this.reader.snapshot(({ sql }) =>
      listRooms(sql, after, limit + 1, mine ? id : null),
    );
    const page = rooms.slice(0, limit);
    const next = page.at(-1)?.id;
    return rooms.length > limit && next !== undefined ? { rooms: page, next } : { rooms: page };
  }

  /** Lists a page of the members of a room, by user id, for its members (P-5.7). */
  async members(
    { id }: Actor,
    { room, after = '', limit = LIST_PAGE }: CommandData<'room.members'>,
  ): Promise<ReplyData<'room.members'>> {
    refuseOwnLog(room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireMember(sql, room, id);
      const info = (await this.getRoom(sql, room)).info;
      const members = await pageMembers(sql, info, after, limit + 1);
      const page = members.slice(0, limit);
      const next = page.at(-1)?.user.id;
      const more = members.length > limit && next !== undefined ? { next } : {};
      return { members: page, memberCount: info.memberCount, ...more };
    });
  }

  private async getRoom(sql: Sql, room: string): Promise<{ info: Room }> {
    const found = await findRoom(sql, room);
    if (found === null) throw noSuchRoom();
    return found;
  }

  /** Stores a room that is new, as part of a transaction. */
  async insertRoom(
    tx: WriteTransaction,
    room: Omit<Room, 'memberCount' | 'createdAt'>,
  ): Promise<Room> {
    const createdAt = Date.now();
    const info: Room = { ...room, memberCount: 0, createdAt };
    const { id, title } = info;
    await tx.manager.insert(RoomEntity, {
      id,
      title,
      epoch: randomBytes(9).toString('base64url'),
      head: 0,
      ownerId: info.owner,
      memberCount: 0,
      createdAt,
    });
    await this.log.append(tx, id, 'room.created', { info });
    return info;
  }

  /** Refuses one membership too many, before anything is written (P-9.6). */
  private async requirePlace({ sql }: WriteTransaction, { id }: Actor): Promise<void> {
    const { roomsPerUser: value } = this.config.limits;
    const last = `SELECT room_id FROM members
      WHERE user_id = ? AND room_id NOT LIKE '@%' LIMIT 1 OFFSET ?`;
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'roomsPerUser', value } });
  }

  /** Makes a user a member of a room, in a transaction; a bot with scopes (P-13.3). */
  async addMember(
    tx: WriteTransaction,
    room: Room,
    { id, name, kind }: User,
    scopes: readonly string[] | null = null,
  ): Promise<Member> {
    const joinedAt = Date.now();
    const row = { roomId: room.id, userId: id, joinedAt };
    await tx.manager.insert(MemberEntity, { ...row, scopes: scopes?.join(' ') ?? null });
    const memberCount = await this.countMembers(tx, room.id, 1);
    const role = room.owner === id ? 'owner' : 'member';
    const member: Member = { user: { id, name, kind }, role, joinedAt };
    await this.log.append(tx, room.id, 'member.joined', { member, memberCount });
    return member;
  }

  private async countMembers(tx: WriteTransaction, room: string, change: 1 | -1): Promise<number> {
    const row = await tx.sql.get<{ member_count: number }>(
      'UPDATE rooms SET member_count = member_count + ? WHERE id = ? RETURNING member_count',
      change,
      room,
    );
    return row?.member_count ?? 0;
  }
}

function newRoom(id: string, title: string | undefined, { id: owner }: Actor) {
  return { id, kind: 'public', title: title ?? id, owner } as const;
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
