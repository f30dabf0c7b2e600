import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Room, User } from '../protocol/models.js';
import { areBlocked } from '../store/block-rows.js';
import { declareOwnLog, ownLog, toUser, type Actor, type Caller } from '../store/actor.js';
import { UsersService } from '../users/users.service.js';
import {
  directRoomId,
  findAbsentCounterpart,
  listDirectRooms,
  type DirectBound,
} from '../store/direct-rows.js';
import { DirectUserEntity } from '../store/direct-user.entity.js';
import { declareRoom, RoomLog } from '../store/room-log.js';
import { findRoom, isMember } from '../store/room-rows.js';
import { isBlockedFrom, noSuchRoom, requireAccess, requireUnblocked } from './policy.js';
import { RoomsService, type CreationLimit } from './rooms.service.js';

const LIST_PAGE = 50;
const NEXT = /^(\d{1,16})\.(@dm-[\w-]{24})$/;
const NEWEST: DirectBound = { at: Number.MAX_SAFE_INTEGER, room: '' };

/** A user, and the function that makes them a member of a room. */
export interface Entrant {
  readonly user: User;
  readonly enter: (tx: WriteTransaction, room: Room) => Promise<unknown>;
}

/** The other user of a direct room that is opened, with what the database does not know. */
export interface Opening {
  readonly userId: string;
  /** The user if connected; a guest may not be stored yet. */
  readonly connected: Actor | undefined;
  /** The bot if the user is one of this server. */
  readonly bot: Entrant | undefined;
  /** Called before a room is created; throws if the caller has created too many. */
  readonly limit: CreationLimit;
}

/** Direct rooms, each between two users (P-5.16). */
@Injectable()
export class DirectRooms {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly rooms: RoomsService,
    private readonly users: UsersService,
  ) {}

  /**
   * Makes the caller and another user members of their direct room, which is created if missing.
   *
   * @throws ProtocolError `not_found`, `invalid`, `blocked`, `limit_reached`, `rate_limited`
   */
  async open(
    { actor, onQueued }: Caller,
    opening: Opening,
  ): Promise<{ room: string; created: boolean }> {
    const { userId } = opening;
    if (userId === actor.id) {
      throw new ProtocolError('invalid', { message: 'A direct room is between two users.' });
    }
    const room = directRoomId(actor.id, userId);
    const { connected } = opening;
    const others = connected === undefined ? ownLog(userId) : declareOwnLog(connected);
    const logs = [declareRoom(room), declareOwnLog(actor), others];
    return this.writer.run(
      logs,
      async (tx) => {
        const found = await findRoom(tx.sql, room);
        const isBlocked = await areBlocked(tx.sql, actor.id, userId);
        const access = { kind: 'direct', isBlocked } as const;
        if (found !== null) {
          const enters =
            !isBlockedFrom('invite', access) && !(await isMember(tx.sql, room, userId));
          const other = enters ? [await this.getOther(tx, opening)] : [];
          await this.enter(tx, found.info, actor, [this.person(toUser(actor), actor), ...other]);
          return { room, created: false };
        }
        requireUnblocked('invite', access);
        const other = await this.getOther(tx, opening);
        await this.make(tx, room, actor, other, opening.limit);
        return { room, created: true };
      },
      onQueued,
    );
  }

  /**
   * Makes one of the two users of a direct room a member again.
   *
   * @throws ProtocolError `not_found` for other users
   */
  async join({ actor, onQueued }: Caller, room: string): Promise<void> {
    await this.writer.run(
      [room, declareOwnLog(actor)],
      async (tx) => {
        await requireAccess(tx.sql, 'join', room, actor.id);
        const found = await findRoom(tx.sql, room);
        if (found === null) throw noSuchRoom();
        await this.enter(tx, found.info, actor, [this.person(toUser(actor))]);
      },
      onQueued,
    );
  }

  /**
   * Prepares a message in a direct room: makes the other user a member again if they have left.
   *
   * @throws ProtocolError `not_found`, `blocked`, `limit_reached`
   */
  async prepareMessage(tx: WriteTransaction, room: string, sender: Actor): Promise<void> {
    await requireAccess(tx.sql, 'send', room, sender.id);
    const absent = await findAbsentCounterpart(tx.sql, room, sender.id);
    if (absent === null) return;
    if (absent.kind !== 'bot') tx.lock([ownLog(absent.id)]);
    const found = await findRoom(tx.sql, room);
    if (found === null) throw noSuchRoom();
    await this.enter(tx, found.info, sender, [this.person(absent)]);
  }

  /** Lists a page of the direct rooms of the caller (P-5.18). */
  async list(
    actor: Actor,
    { after, limit = LIST_PAGE }: CommandData<'dm.list'>,
  ): Promise<ReplyData<'dm.list'>> {
    const bound = after === undefined ? NEWEST : toBound(after);
    const found = await this.reader.snapshot(({ sql }) =>
      listDirectRooms(sql, toUser(actor), bound, limit + 1),
    );
    const directs = found.slice(0, limit);
    const last = directs.at(-1);
    if (found.length <= limit || last === undefined) return { directs };
    return { directs, next: `${String(last.at)}.${last.info.id}` };
  }

  private async getOther(
    tx: WriteTransaction,
    { userId, connected, bot }: Opening,
  ): Promise<Entrant> {
    if (bot !== undefined) return bot;
    const user = await this.users.getIn(tx, userId, connected);
    // It was a bot of this server once.
    if (user.kind === 'bot') throw new ProtocolError('not_found');
    return this.person(user, connected);
  }

  private person(user: User, connected?: Actor): Entrant {
    const enter = async (tx: WriteTransaction, room: Room) => {
      if (connected !== undefined) await this.users.store(tx, connected);
      await this.requireDirectRoomQuota(tx, user);
      await this.rooms.addMember(tx, room, user);
    };
    return { user, enter };
  }

  private async make(
    tx: WriteTransaction,
    id: string,
    actor: Actor,
    other: Entrant,
    limit: CreationLimit,
  ): Promise<void> {
    const both = [this.person(toUser(actor), actor), other];
    for (const { user } of both) await this.requireDirectRoomQuota(tx, user);
    limit(tx);
    const users = both.map(({ user }) => user).sort((a, b) => (a.id < b.id ? -1 : 1));
    const room = { id, kind: 'direct', title: '', owner: null, users } as const;
    const info = await this.rooms.insertRoom(tx, room);
    const rows = users.map(({ id: userId }) => ({ roomId: id, userId }));
    await tx.manager.insert(DirectUserEntity, rows);
    await this.enter(tx, info, actor, both);
  }

  /** Makes users members who are not; tells those who are not bots in their own log (P-5.17). */
  private async enter(
    tx: WriteTransaction,
    room: Room,
    by: Actor,
    entrants: readonly Entrant[],
  ): Promise<void> {
    const entered: User[] = [];
    for (const { user, enter } of entrants) {
      if (await isMember(tx.sql, room.id, user.id)) continue;
      await enter(tx, room);
      entered.push(user);
    }
    const info = { ...room, memberCount: room.memberCount + entered.length };
    for (const { id, kind } of entered) {
      if (kind === 'bot') continue;
      await this.log.append(tx, ownLog(id), 'dm.opened', { info, user: toUser(by) });
    }
  }

  /** Throws if a user other than a bot is in too many direct rooms (P-9.6). */
  private async requireDirectRoomQuota(
    { sql }: WriteTransaction,
    { id, kind }: User,
  ): Promise<void> {
    if (kind === 'bot') return;
    const { directsPerUser: value } = this.config.limits;
    const last = `SELECT m.room_id FROM members m JOIN rooms r ON r.id = m.room_id
      WHERE m.user_id = $1 AND r.kind = 'direct' LIMIT 1 OFFSET $2`;
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'directsPerUser', value } });
  }
}

function toBound(next: string): DirectBound {
  const [, at, room] = NEXT.exec(next) ?? [];
  if (at !== undefined && room !== undefined) return { at: Number(at), room };
  throw new ProtocolError('invalid', { message: 'after has to be the next of the previous page.' });
}
