import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Room, User } from '../protocol/models.js';
import { areBlocked } from '../users/block-rows.js';
import { ownLog, toUser, type Actor, type Caller } from '../users/actor.js';
import { UsersService } from '../users/users.service.js';
import { directRoomId, findCounterpart, listDirectRooms, type DirectBound } from './direct-rows.js';
import { DirectUserEntity } from './direct-user.entity.js';
import { RoomLog } from './room-log.js';
import { findRoom, isMember, noSuchRoom, requireMember } from './room-rows.js';
import { RoomsService, type CreationLimit } from './rooms.service.js';

const LIST_PAGE = 50;
const NEXT = /^(\d{1,16})\.(@dm-[\w-]{24})$/;
const NEWEST: DirectBound = { at: Number.MAX_SAFE_INTEGER, room: '' };

/** A user, and how they are made a member of a room. */
export interface Entrant {
  readonly user: User;
  readonly enter: (tx: WriteTransaction, room: Room) => Promise<unknown>;
}

/** Whom a direct room is opened with, as far as the database does not know it. */
export interface Opening {
  readonly userId: string;
  /** The user, if connected: a guest may not be stored yet. */
  readonly here: Actor | undefined;
  /** The bot, if it is one of this server. */
  readonly bot: Entrant | undefined;
  /** Called before a room is made; throws when the caller may make no more. */
  readonly limit: CreationLimit;
}

/** Rooms between two users (P-5.16). */
@Injectable()
export class DirectRooms {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /**
   * Makes the caller and another user members of their direct room, and the room, if need be.
   *
   * @throws ProtocolError `not_found`, `invalid`, `blocked`, `limit_reached`, `rate_limited`
   */
  async open(
    { actor, placed }: Caller,
    opening: Opening,
  ): Promise<{ room: string; created: boolean }> {
    const { userId } = opening;
    if (userId === actor.id) {
      throw new ProtocolError('invalid', { message: 'A direct room is between two users.' });
    }
    const room = directRoomId(actor.id, userId);
    return this.writer.run(async (tx) => {
      const found = await findRoom(tx.sql, room);
      const isBlocked = await areBlocked(tx.sql, actor.id, userId);
      if (found !== null) {
        const comes = !isBlocked && !(await isMember(tx.sql, room, userId));
        const other = comes ? [await this.getOther(tx, opening)] : [];
        await this.enter(tx, found.info, actor, [this.person(toUser(actor), actor), ...other]);
        return { room, created: false };
      }
      if (isBlocked) throw new ProtocolError('blocked');
      const other = await this.getOther(tx, opening);
      await this.make(tx, room, actor, other, opening.limit);
      return { room, created: true };
    }, placed);
  }

  /**
   * Makes one of the two of a direct room a member again.
   *
   * @throws ProtocolError `not_found` for everybody else
   */
  async join({ actor, placed }: Caller, room: string): Promise<void> {
    await this.writer.run(async (tx) => {
      // Nothing else is asked for who is none of the two.
      if ((await findCounterpart(tx.sql, room, actor.id)) === null) throw noSuchRoom();
      const found = await findRoom(tx.sql, room);
      if (found === null) throw noSuchRoom();
      await this.enter(tx, found.info, actor, [this.person(toUser(actor))]);
    }, placed);
  }

  /**
   * Prepares a message in a direct room: a block refuses it, and the other is there to get it.
   *
   * @throws ProtocolError `not_found`, `blocked`, `limit_reached`
   */
  async prepareMessage(tx: WriteTransaction, room: string, sender: Actor): Promise<void> {
    await requireMember(tx.sql, room, sender.id);
    const counterpart = await findCounterpart(tx.sql, room, sender.id);
    if (counterpart?.isBlocked === true) throw new ProtocolError('blocked');
    if (counterpart === null || counterpart.isMember) return;
    const found = await findRoom(tx.sql, room);
    const user = found?.info.users?.find(({ id }) => id === counterpart.id);
    if (found === null || user === undefined) throw noSuchRoom();
    await this.enter(tx, found.info, sender, [this.person(user)]);
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

  private async getOther(tx: WriteTransaction, { userId, here, bot }: Opening): Promise<Entrant> {
    if (bot !== undefined) return bot;
    const user = await this.users.getIn(tx, userId, here);
    // It was a bot of this server once.
    if (user.kind === 'bot') throw new ProtocolError('not_found');
    return this.person(user, here);
  }

  private person(user: User, here?: Actor): Entrant {
    const enter = async (tx: WriteTransaction, room: Room) => {
      if (here !== undefined) await this.users.store(tx, here);
      await this.requirePlace(tx, user);
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
    for (const { user } of both) await this.requirePlace(tx, user);
    limit(tx);
    const users = both.map(({ user }) => user).sort((a, b) => (a.id < b.id ? -1 : 1));
    const room = { id, kind: 'direct', title: '', owner: null, users } as const;
    const info = await this.rooms.insertRoom(tx, room);
    const rows = users.map(({ id: userId }) => ({ roomId: id, userId }));
    await tx.manager.insert(DirectUserEntity, rows);
    await this.enter(tx, info, actor, both);
  }

  /** Makes users members who are none; each person of them is told in the own log (P-5.17). */
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

  /** Refuses one direct room too many; bots take any number (P-9.6). */
  private async requirePlace({ sql }: WriteTransaction, { id, kind }: User): Promise<void> {
    if (kind === 'bot') return;
    const { directsPerUser: value } = this.config.limits;
    const last = `SELECT room_id FROM members
      WHERE user_id = ? AND room_id LIKE '@%' LIMIT 1 OFFSET ?`;
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'directsPerUser', value } });
  }
}

function toBound(next: string): DirectBound {
  const [, at, room] = NEXT.exec(next) ?? [];
  if (at !== undefined && room !== undefined) return { at: Number(at), room };
  throw new ProtocolError('invalid', { message: 'after is the next of the page before.' });
}
