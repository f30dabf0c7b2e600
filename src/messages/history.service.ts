import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Reader } from '../database/reader.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import type { HistoryPage } from '../protocol/pages.js';
import { MAX_SEQ } from '../protocol/limits.js';
import type { Message } from '../protocol/models.js';
import { takeBytes } from '../rooms/room-replay.js';
import { findRoom, requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Actor } from '../users/actor.js';
import { messageId } from './message-id.js';
import { findMessage, messagesAfter, messagesBefore } from './message-rows.js';
import { noSuchMessage } from './messages.service.js';

interface Page {
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
}

/** Messages that were sent before, as they are now (P-6.10, P-6.11). */
@Injectable()
export class HistoryService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
  ) {}

  /**
   * Gives a message of a room as it is now, for its members (P-6.13).
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async get({ id }: Actor, { room, message }: CommandData<'message.get'>): Promise<Message> {
    refuseOwnLog(room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireMember(sql, room, id);
      const found = await findMessage(sql, room, message);
      if (found === null) throw noSuchMessage();
      return found;
    });
  }

  /** Reads a page of the messages of a room, for its members (P-6.11). */
  async page({ id }: Actor, data: CommandData<'message.history'>): Promise<HistoryPage> {
    refuseOwnLog(data.room);
    const { historyPage, historyPageMax } = this.config.limits;
    const limit = Math.min(data.limit ?? historyPage, historyPageMax);
    return this.reader.snapshot(async ({ sql }) => {
      await requireMember(sql, data.room, id);
      const found = await findRoom(sql, data.room);
      if (found === null) throw new ProtocolError('not_found');
      const { messages, hasMore } = await this.read(sql, data, limit);
      return {
        room: data.room,
        epoch: found.epoch,
        seq: found.head,
        messages: [...messages],
        hasMore,
      };
    });
  }

  /** Tells whether a message of the caller has landed (P-6.10). */
  async status(
    { id }: Actor,
    { room, cid }: CommandData<'message.status'>,
  ): Promise<ReplyData<'message.status'>> {
    refuseOwnLog(room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireMember(sql, room, id);
      const message = await findMessage(sql, room, messageId(room, id, cid));
      return message === null ? { found: false } : { found: true, message };
    });
  }

  private async read(
    sql: Sql,
    { room, before, after, around }: CommandData<'message.history'>,
    limit: number,
  ): Promise<Page> {
    const bytes = this.config.limits.pageBytes;
    if (after !== undefined) return this.newer(sql, room, clamp(after), limit, bytes);
    if (around === undefined) return this.older(sql, room, clamp(before ?? MAX_SEQ), limit, bytes);
    const half = Math.floor(limit / 2);
    const newer = await this.newer(sql, room, clamp(around) - 1, limit - half, bytes / 2);
    const older = await this.older(sql, room, clamp(around), half, bytes / 2);
    return {
      messages: [...older.messages, ...newer.messages],
      hasMore: older.hasMore || newer.hasMore,
    };
  }

  private async older(
    sql: Sql,
    room: string,
    before: number,
    limit: number,
    bytes: number,
  ): Promise<Page> {
    const page = fit(await messagesBefore(sql, room, before, limit + 1), limit, bytes);
    return { ...page, messages: page.messages.toReversed() };
  }

  private async newer(
    sql: Sql,
    room: string,
    after: number,
    limit: number,
    bytes: number,
  ): Promise<Page> {
    return fit(await messagesAfter(sql, room, after, limit + 1), limit, bytes);
  }
}

function fit(read: readonly Message[], limit: number, bytes: number): Page {
  const messages = takeBytes(read.slice(0, limit), bytes);
  return { messages, hasMore: read.length > messages.length };
}

function clamp(seq: number): number {
  return Math.min(seq, MAX_SEQ);
}
