import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Reader } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { foldRoomName } from '../protocol/names.js';
import type { Member, Room, User } from '../protocol/models.js';
import { declareOwnLog, toUser, type Actor, type Caller } from '../store/actor.js';
import { UsersService } from '../users/users.service.js';
import { MemberEntity } from '../store/member.entity.js';
import { RoomEntity } from '../store/room.entity.js';
import { declareRoom, newEpoch, RoomLog } from '../store/room-log.js';
import { findAccess, findRoom, listPublicRooms, pageMembers, roleIn } from '../store/room-rows.js';
import {
  mayAnyone,
  noSuchRoom,
  refuseOwnLog,
  refuseReservedId,
  requireAccess,
  requireMay,
} from './policy.js';

const LIST_PAGE = 50;

type NewRoom = Omit<Room, 'memberCount' | 'createdAt'>;

/** Called before a room is created; throws if the user has created too many. */
export type CreationLimit = (tx: WriteTransaction) => void;

/** Called in the transaction that creates a public room, once its owner is a member. */
export type NewRoomListener = (tx: WriteTransaction, room: Room) => Promise<unknown>;

/** Called before `room.join` creates a room, and before it adds a member. */
export interface EntryLimits {
  readonly create: CreationLimit;
  readonly join: (tx: WriteTransaction) => void;
}

/** Rooms and their members (P-5). */
@Injectable()
export class RoomsService implements OnApplicationBootstrap {
  private readonly newRoomListeners: NewRoomListener[] = [];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly users: UsersService,
  ) {}

  /** Registers a listener that completes each new room before a message can be sent there. */
  onNewRoom(listener: NewRoomListener): void {
    this.newRoomListeners.push(listener);
  }

  /** Creates the default room at the first start (P-5.13). */
  async onApplicationBootstrap(): Promise<void> {
    const title = this.config.defaultRoom;
    const id = foldRoomName(title) ?? title;
    await this.writer.run([declareRoom(id)], async (tx) => {
      if ((await findRoom(tx.sql, id)) !== null) return;
      await this.insertRoom(tx, { id, kind: 'public', title, owner: null });
    });
  }

  /** Creates a room with the caller as owner and first member (P-5.2). */
  async create(
    { actor, onQueued }: Caller,
    { room, title }: CommandData<'room.create'>,
    limit: CreationLimit,
  ): Promise<void> {
    refuseReservedId(room);
    const logs = [declareRoom(room), declareOwnLog(actor)];
    await this.writer.run(
      logs,
      async (tx) => {
        if ((await findRoom(tx.sql, room)) !== null) throw new ProtocolError('room_exists');
        await this.requireRoomQuota(tx, actor);
        limit(tx);
        await this.users.store(tx, actor);
        await this.makeRoom(tx, newRoom(room, title, actor), actor);
      },
      onQueued,
    );
  }

  /** Makes the caller a member, and creates a missing room if `create` is set (P-5.4). */
  async join(
    { actor, onQueued }: Caller,
    { room, create, title }: CommandData<'room.join'>,
    limits: EntryLimits,
  ): Promise<void> {
    refuseOwnLog(room);
    const logs = [create === true ? declareRoom(room) : room, declareOwnLog(actor)];
    await this.writer.run(
      logs,
      async (tx) => {
        const access = await findAccess(tx.sql, room, actor.id);
        if (access?.isMember === true) return;
        if (access !== null || create !== true) requireMay('join', access);
        const info = (await findRoom(tx.sql, room))?.info;
        await this.requireRoomQuota(tx, actor);
        if (info === undefined) limits.create(tx);
        limits.join(tx);
        await this.users.store(tx, actor);
        if (info === undefined) await this.makeRoom(tx, newRoom(room, title, actor), actor);
        else await this.addMember(tx, info, actor);
      },
      onQueued,
    );
  }

  private async makeRoom(tx: WriteTransaction, room: NewRoom, owner: Actor): Promise<void> {
    const info = await this.insertRoom(tx, room);
    await this.addMember(tx, info, owner);
    for (const listener of this.newRoomListeners) await listener(tx, info);
  }

  /** Ends the membership of the caller; returns the position of `member.left` (P-5.6). */
  async leave({ actor, onQueued }: Caller, room: string): Promise<number> {
    refuseOwnLog(room);
    const leave = (tx: WriteTransaction) => this.leaveIn(tx, toUser(actor), room, 'left');
    return this.writer.run([room], leave, onQueued);
  }

  /** Ends a membership in a transaction; returns the position of `member.left`. */
  async leaveIn(
    tx: WriteTransaction,
    user: User,
    room: string,
    reason: 'left' | 'away',
  ): Promise<number> {
    await requireAccess(tx.sql, 'leave', room, user.id);
    await tx.manager.delete(MemberEntity, { roomId: room, userId: user.id });
    const memberCount = await this.countMembers(tx, room, -1);
    const body = { user, reason, memberCount };
    return (await this.log.append(tx, room, 'member.left', body)).seq;
  }

  /** Changes the title of a room (P-5.7). */
  async update(
    { actor, onQueued }: Caller,
    { room, title }: CommandData<'room.update'>,
  ): Promise<Room> {
    refuseOwnLog(room);
    return this.writer.run(
      [room],
      async (tx) => {
        await requireAccess(tx.sql, 'update', room, actor.id);
        const found = await this.getRoom(tx.sql, room);
        const info = { ...found.info, title };
        if (found.info.title === title) return info;
        await tx.manager.update(RoomEntity, { id: room }, { title });
        await this.log.append(tx, room, 'room.updated', { info });
        return info;
      },
      onQueued,
    );
  }

  /** Lists a page of the public rooms, ordered by id (P-5.7). */
  async list(
    { id }: Actor,
    { after = '', limit = LIST_PAGE, mine = false }: CommandData<'room.list'>,
  ): Promise<ReplyData<'room.list'>> {
    const rooms = await this.reader.snapshot(({ sql }) =>
      listPublicRooms(sql, after, limit + 1, mine ? id : null),
    );
    const page = rooms.slice(0, limit);
    const next = page.at(-1)?.id;
    return rooms.length > limit && next !== undefined ? { rooms: page, next } : { rooms: page };
  }

  /** Lists a page of the members of a room to one of them, ordered by user id (P-5.7). */
  async members(
    { id }: Actor,
    data: CommandData<'room.members'>,
  ): Promise<ReplyData<'room.members'>> {
    refuseOwnLog(data.room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireAccess(sql, 'read', data.room, id);
      return readMembers(sql, (await this.getRoom(sql, data.room)).info, data);
    });
  }

  /** Lists a page of the members of a public room to anyone; empty if there is none (P-10.7). */
  async publicMembers(data: CommandData<'room.members'>): Promise<ReplyData<'room.members'>> {
    const nobody = { members: [], memberCount: 0 };
    return this.reader.snapshot(async ({ sql }) => {
      const found = await findRoom(sql, data.room);
      if (found === null || !mayAnyone('observe', found.info.kind)) return nobody;
      return readMembers(sql, found.info, data);
    });
  }

  private async getRoom(sql: Sql, room: string): Promise<{ info: Room }> {
    const found = await findRoom(sql, room);
    if (found === null) throw noSuchRoom();
    return found;
  }

  /** Stores a new room in a transaction. */
  async insertRoom(tx: WriteTransaction, room: NewRoom): Promise<Room> {
    const createdAt = tx.now();
    const info: Room = { ...room, memberCount: 0, createdAt };
    const { id, kind, title, owner: ownerId } = info;
    const row = { kind, title, ownerId, memberCount: 0, createdAt };
    // On PostgreSQL, the transaction has inserted the log of the room in order to lock it.
    if (tx.locked !== null) await tx.manager.update(RoomEntity, { id, head: 0 }, row);
    else await tx.manager.insert(RoomEntity, { id, ...row, epoch: newEpoch(), head: 0, headAt: 0 });
    await this.log.append(tx, id, 'room.created', { info });
    return info;
  }

  /** Throws if a user is in too many rooms (P-9.6). */
  private async requireRoomQuota({ sql }: WriteTransaction, { id }: Actor): Promise<void> {
    const { roomsPerUser: value } = this.config.limits;
    const last = `SELECT m.room_id FROM members m JOIN rooms r ON r.id = m.room_id
      WHERE m.user_id = $1 AND r.kind <> 'direct' LIMIT 1 OFFSET $2`;
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'roomsPerUser', value } });
  }

  /** Adds a member to a room in a transaction; a bot with scopes (P-13.3). */
  async addMember(
    tx: WriteTransaction,
    room: Room,
    { id, name, kind }: User,
    scopes: readonly string[] | null = null,
    bySetting = false,
  ): Promise<Member> {
    const joinedAt = tx.now();
    const row = { roomId: room.id, userId: id, joinedAt, bySetting };
    await tx.manager.insert(MemberEntity, { ...row, scopes: scopes?.join(' ') ?? null });
    const memberCount = await this.countMembers(tx, room.id, 1);
    const member: Member = { user: { id, name, kind }, role: roleIn(room, id), joinedAt };
    await this.log.append(tx, room.id, 'member.joined', { member, memberCount });
    return member;
  }

  private async countMembers(tx: WriteTransaction, room: string, change: 1 | -1): Promise<number> {
    const row = await tx.sql.get<{ member_count: number }>(
      'UPDATE rooms SET member_count = member_count + $1 WHERE id = $2 RETURNING member_count',
      change,
      room,
    );
    return row?.member_count ?? 0;
  }
}

function newRoom(id: string, title: string | undefined, { id: owner }: Actor) {
  return { id, kind: 'public', title: title ?? id, owner } as const;
}

async function readMembers(
  sql: Sql,
  info: Room,
  { after = '', limit = LIST_PAGE }: CommandData<'room.members'>,
): Promise<ReplyData<'room.members'>> {
  const members = await pageMembers(sql, info, after, limit + 1);
  const page = members.slice(0, limit);
  const next = page.at(-1)?.user.id;
  const more = members.length > limit && next !== undefined ? { next } : {};
  return { members: page, memberCount: info.memberCount, ...more };
}
