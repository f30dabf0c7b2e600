import { Inject, Injectable } from '@nestjs/common';

import { Writer, type WriteTransaction } from '../database/writer.js';
import { BotScope, DEFAULT_SCOPES } from '../protocol/bots.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Room } from '../protocol/models.js';
import { findRoom, requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog, RoomsService } from '../rooms/rooms.service.js';
import { toUser, type Caller } from '../users/actor.js';
import { BotRoster } from './bot-roster.js';

/** Bots in rooms: an act of the room's owner (P-13.3, P-13.4). */
@Injectable()
export class BotRooms {
  constructor(
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(BotRoster) private readonly roster: BotRoster,
  ) {}

  /**
   * Adds a bot to a room, or gives it other scopes there.
   *
   * @throws ProtocolError `not_found`, `not_member`, `forbidden`
   */
  async add(caller: Caller, data: CommandData<'bot.add'>): Promise<ReplyData<'bot.add'>> {
    const bot = await this.roster.get(data.bot);
    const asked = data.scopes ?? DEFAULT_SCOPES;
    const scopes = BotScope.options.filter(
      (scope) => asked.includes(scope) && bot.wanted.has(scope),
    );
    const entry = await this.writer.run(async (tx) => {
      const room = await this.getOwnRoom(tx, caller, data.room);
      return this.roster.admit(tx, bot, room, scopes);
    }, caller.placed);
    this.roster.grant(bot, entry);
    return { member: entry.member, scopes };
  }

  /**
   * Removes a bot from a room.
   *
   * @throws ProtocolError `not_found`, `not_member`, `forbidden`
   */
  async remove(caller: Caller, data: CommandData<'bot.remove'>): Promise<ReplyData<'bot.remove'>> {
    const bot = await this.roster.get(data.bot);
    const seq = await this.writer.run(async (tx) => {
      const room = await this.getOwnRoom(tx, caller, data.room);
      return this.rooms.leaveIn(tx, toUser(bot.actor), room.id, 'left');
    }, caller.placed);
    return { room: data.room, seq };
  }

  private async getOwnRoom(tx: WriteTransaction, { actor }: Caller, id: string): Promise<Room> {
    refuseOwnLog(id);
    await requireMember(tx.sql, id, actor.id);
    const found = await findRoom(tx.sql, id);
    if (found?.info.owner === actor.id) return found.info;
    throw new ProtocolError('forbidden', {
      message: 'Only the owner of a room adds and removes bots; in the default room, the operator.',
    });
  }
}
