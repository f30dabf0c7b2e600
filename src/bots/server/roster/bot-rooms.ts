import { Injectable } from '@nestjs/common';

import type { WriteTransaction } from '../../../database/write-job.js';
import { Writer } from '../../../database/writer.js';
import { BotScope, DEFAULT_SCOPES } from '../../../protocol/bots.js';
import type { CommandData, ReplyData } from '../../../protocol/commands.js';
import type { Room } from '../../../protocol/models.js';
import { findRoom, isMember } from '../../../store/room-rows.js';
import { noSuchRoom, refuseOwnLog, requireAccess } from '../../../rooms/policy.js';
import { RoomsService } from '../../../rooms/rooms.service.js';
import { declareOwnLog, toUser, type Caller } from '../../../store/actor.js';
import { botActor } from '../../../users/bot-accounts.js';
import { BotRoster, noSuchBot } from './bot-roster.js';

/** Adds bots to rooms and removes them, for the owner of the room (P-13.3, P-13.4). */
@Injectable()
export class BotRooms {
  constructor(
    private readonly writer: Writer,
    private readonly rooms: RoomsService,
    private readonly roster: BotRoster,
  ) {}

  /**
   * Adds a bot to a room, or changes its scopes there.
   *
   * @throws ProtocolError `not_found`, `not_member`, `forbidden`
   */
  async add(caller: Caller, data: CommandData<'bot.add'>): Promise<ReplyData<'bot.add'>> {
    const bot = await this.roster.get(data.bot);
    const asked = data.scopes ?? DEFAULT_SCOPES;
    const scopes = BotScope.options.filter(
      (scope) => asked.includes(scope) && bot.wanted.has(scope),
    );
    const add = async (tx: WriteTransaction) => {
      const room = await this.getOwnRoom(tx, caller, data.room);
      return this.roster.admit(tx, bot, room, scopes);
    };
    const logs = [data.room, declareOwnLog(bot.actor)];
    const entry = await this.writer.run(logs, add, caller.onQueued);
    this.roster.grant(bot, entry);
    return { member: entry.member, scopes };
  }

  /**
   * Removes a bot from a room, even one that this server no longer runs.
   *
   * @throws ProtocolError `not_found`, `not_member`, `forbidden`
   */
  async remove(caller: Caller, data: CommandData<'bot.remove'>): Promise<ReplyData<'bot.remove'>> {
    const user = toUser(botActor(data.bot));
    const isKnown = await this.roster.exists(data.bot);
    const remove = async (tx: WriteTransaction) => {
      const room = await this.getOwnRoom(tx, caller, data.room);
      if (!isKnown && !(await isMember(tx.sql, room.id, user.id))) throw noSuchBot(data.bot);
      return this.rooms.leaveIn(tx, user, room.id, 'left');
    };
    const seq = await this.writer.run([data.room], remove, caller.onQueued);
    return { room: data.room, seq };
  }

  private async getOwnRoom(tx: WriteTransaction, { actor }: Caller, id: string): Promise<Room> {
    refuseOwnLog(id);
    await requireAccess(tx.sql, 'manageBots', id, actor.id);
    const found = await findRoom(tx.sql, id);
    if (found === null) throw noSuchRoom();
    return found.info;
  }
}
