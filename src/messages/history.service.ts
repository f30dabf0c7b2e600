import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Reader } from '../database/reader.js';
import { encodeByParts } from '../protocol/codec.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import type { HistoryPage } from '../protocol/pages.js';
import { MAX_SEQ } from '../protocol/limits.js';
import type { Message } from '../protocol/models.js';
import { limitBytes } from '../rooms/room-replay.js';
import { mayAnyone, noSuchRoom, refuseOwnLog, requireAccess } from '../rooms/policy.js';
import { findRoom, type FoundRoom } from '../store/room-rows.js';
import type { Actor } from '../store/actor.js';
import { HistoryPages } from './history-pages.js';
import { messageId } from './message-id.js';
import { findMessage, messagesAfter, messagesBefore } from '../store/message-rows.js';
import { noSuchMessage } from './messages.service.js';

/** Messages read by one query: a page of the usual size, and one more. */
const PART = 51;

interface Page {
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
}

/** Stored messages in their current form (P-6.10, P-6.11). */
@Injectable()
export class HistoryService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly pages: HistoryPages,
  ) {}

  /**
   * Returns a message of a room to one of its members (P-6.13).
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async get({ id }: Actor, { room, message }: CommandData<'message.get'>): Promise<Message> {
    refuseOwnLog(room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireAccess(sql, 'read', room, id);
      const found = await findMessage(sql, room, message);
      if (found === null) throw noSuchMessage();
      return found;
    });
  }

  /** Reads a page of the messages of a room for one of its members (P-6.11). */
  async page({ id }: Actor, data: CommandData<'message.history'>): Promise<HistoryPage> {
    refuseOwnLog(data.room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireAccess(sql, 'read', data.room, id);
      return this.readPage(sql, await findRoom(sql, data.room), data);
    });
  }

  /**
   * Reads a page of the messages of a public room, for connections without a user (P-10.7).
   *
   * @throws ProtocolError `not_found`, also for a room that is not public
   */
  async publicPage(data: CommandData<'message.history'>): Promise<HistoryPage> {
    return this.reader.snapshot(async ({ sql }) => {
      const found = await findRoom(sql, data.room);
      const isOpen = found !== null && mayAnyone('observe', found.info.kind);
      return this.readPage(sql, isOpen ? found : null, data);
    });
  }

  /** Returns whether a message of the caller is stored (P-6.10). */
  async status(
    { id }: Actor,
    { room, cid }: CommandData<'message.status'>,
  ): Promise<ReplyData<'message.status'>> {
    refuseOwnLog(room);
    return this.reader.snapshot(async ({ sql }) => {
      await requireAccess(sql, 'read', room, id);
      const message = await findMessage(sql, room, messageId(room, id, cid));
      return message === null ? { found: false } : { found: true, message };
    });
  }

  private async readPage(
    sql: Sql,
    found: FoundRoom | null,
    data: CommandData<'message.history'>,
  ): Promise<HistoryPage> {
    if (found === null) throw noSuchRoom();
    const { historyPage, historyPageMax } = this.config.limits;
    const limit = Math.min(data.limit ?? historyPage, historyPageMax);
    const at = { room: data.room, epoch: found.epoch, seq: found.head };
    return this.pages.get(at, { ...data, limit }, async () => {
      const { messages, hasMore } = await this.read(sql, data, limit);
      return encodeByParts({ ...at, messages: encodeByParts([...messages]), hasMore });
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
    const next = (bound: number, count: number) => messagesBefore(sql, room, bound, count);
    const page = await readInParts(next, before, limit, bytes);
    return { ...page, messages: page.messages.toReversed() };
  }

  private newer(
    sql: Sql,
    room: string,
    after: number,
    limit: number,
    bytes: number,
  ): Promise<Page> {
    const next = (bound: number, count: number) => messagesAfter(sql, room, bound, count);
    return readInParts(next, after, limit, bytes);
  }
}

/** Reads a page in parts, so that it does not read long messages that do not fit into it. */
async function readInParts(
  next: (bound: number, count: number) => Promise<Message[]>,
  from: number,
  limit: number,
  bytes: number,
): Promise<Page> {
  const read: Message[] = [];
  for (let bound = from; read.length <= limit; bound = read.at(-1)?.seq ?? bound) {
    const count = Math.min(PART, limit + 1 - read.length);
    const part = await next(bound, count);
    read.push(...part);
    if (part.length < count || limitBytes(read, bytes).length < read.length) break;
  }
  const messages = limitBytes(read.slice(0, limit), bytes);
  return { messages, hasMore: read.length > messages.length };
}

function clamp(seq: number): number {
  return Math.min(seq, MAX_SEQ);
}
