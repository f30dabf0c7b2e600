import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { Sql } from '../database/sql.js';
import {
  encodeOnce,
  encodeValue,
  MAX_SEQ,
  type LogEvent,
  type Position,
} from '../protocol/index.js';
import type { ActiveRoom } from './active-room.js';
import { ActiveRooms } from './active-rooms.js';
import type { ConfirmedLogs } from '../store/head-confirmation.js';
import { LogFeed } from '../store/log-feed.js';
import { requireAccess } from './policy.js';
import { RoomLog, type LoggedEvent } from '../store/room-log.js';
import { findPosition } from '../store/room-rows.js';

const PAGE_EVENTS = 500;
/** Events read by one query. */
const PART_EVENTS = 100;

/** Why a log cannot be replayed from a position. */
export type ReplayFailure = 'epoch_mismatch' | 'trimmed' | 'ahead';

/** Events after a position; `more` tells whether further events follow. */
export type ReplayResult =
  | { readonly complete: true; readonly events: readonly LogEvent[]; readonly more: boolean }
  | { readonly complete: false; readonly reason: ReplayFailure };

/** Replays logs from a position, completely and in pages, or says why it cannot (P-5.11). */
@Injectable()
export class RoomReplay {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly rooms: ActiveRooms,
    private readonly feed: LogFeed,
  ) {}

  /**
   * Replays a room to one of its members, from memory if possible, otherwise from the database.
   *
   * Calls `arrive` at a moment when the user is a member and, if `more` is false, the room is at
   * the position after the last event. `confirmed` is the set of the command, if it has one.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async forMember<T>(
    id: string,
    userId: string,
    from: Position,
    arrive: (room: ActiveRoom, result: ReplayResult) => T,
    confirmed: ConfirmedLogs = new Set(),
  ): Promise<T> {
    for (;;) {
      const room = await this.rooms.getForMember(id, userId, confirmed);
      const result = await this.ofRoom(room, userId, from);
      // Meanwhile the user may have left, and the room may have changed or been evicted.
      if (!this.rooms.isCurrentFor(room, userId)) continue;
      if (isBehind(result, from, room.head)) continue;
      return arrive(room, result);
    }
  }

  private async ofRoom(room: ActiveRoom, userId: string, from: Position): Promise<ReplayResult> {
    const refusal = refuse(from, room.epoch, room.head);
    if (refusal !== null) return refusal;
    const recent = room.since(from.seq);
    if (recent !== null) return this.cut(recent, false);
    const page = await this.reader.snapshot(async ({ sql }) => {
      // Memory may not know yet that the user has left, but the page has what came after it.
      await requireAccess(sql, 'read', room.id, userId);
      return this.readPage(sql, room.id, from.seq, room.head);
    });
    if (!page.complete || page.more) return page;
    const last = page.events.at(-1)?.data.seq ?? from.seq;
    await this.feed.reach(room.id, last);
    const rest = room.since(last);
    return rest === null ? { ...page, more: true } : this.cut([...page.events, ...rest], false);
  }

  /** Replays the own log of a user; its epoch is known even before the log is stored. */
  async ofOwnLog(
    log: string,
    epoch: string,
    from: Position,
  ): Promise<ReplayResult & { head: number }> {
    return this.reader.snapshot(async ({ sql }) => {
      const found = await findPosition(sql, log);
      const head = found?.seq ?? 0;
      const refusal = refuse(from, found?.epoch ?? epoch, head);
      if (refusal !== null) return { ...refusal, head };
      if (from.seq === head) return { complete: true, events: [], more: false, head };
      return { ...(await this.readPage(sql, log, from.seq, head)), head };
    });
  }

  private async readPage(
    sql: Sql,
    log: string,
    after: number,
    head: number,
  ): Promise<ReplayResult> {
    const read = await this.readParts(sql, log, Math.min(after, MAX_SEQ));
    const events = read.slice(0, PAGE_EVENTS).map(({ event }) => event);
    const first = events[0]?.data.seq;
    if (first === undefined ? after < head : first !== after + 1) {
      return { complete: false, reason: 'trimmed' };
    }
    return this.cut(events, read.length > PAGE_EVENTS);
  }

  /** Reads in parts, so that it does not read long messages that do not fit into the page. */
  private async readParts(sql: Sql, log: string, after: number): Promise<LoggedEvent[]> {
    const { pageBytes } = this.config.limits;
    const read: LoggedEvent[] = [];
    for (let from = after; read.length <= PAGE_EVENTS;) {
      const count = Math.min(PART_EVENTS, PAGE_EVENTS + 1 - read.length);
      const part = await this.log.read(sql, log, from, count);
      read.push(...part);
      const events = read.map(({ event }) => event);
      if (part.length < count || limitBytes(events, pageBytes).length < read.length) break;
      from = events.at(-1)?.data.seq ?? from;
    }
    return read;
  }

  private cut(events: readonly LogEvent[], more: boolean): ReplayResult {
    const fitting = limitBytes(events, this.config.limits.pageBytes);
    return { complete: true, events: fitting, more: more || fitting.length < events.length };
  }
}

/**
 * Returns as many items as fit into a number of bytes of JSON, but at least one (P-9.8).
 *
 * Encodes the items once; do not change them afterwards.
 */
export function limitBytes<T extends object>(items: readonly T[], bytes: number): readonly T[] {
  // The brackets around them, and a comma after each but the last.
  let left = bytes - 1;
  for (const [index, item] of items.entries()) {
    left -= Buffer.byteLength(encodeValue(encodeOnce(item))) + 1;
    if (left < 0) return items.slice(0, Math.max(1, index));
  }
  return items;
}

/** Returns whether events were appended after the end of a replay. */
function isBehind(result: ReplayResult, from: Position, head: number): boolean {
  if (!result.complete || result.more) return false;
  return (result.events.at(-1)?.data.seq ?? from.seq) !== head;
}

function refuse(from: Position, epoch: string, head: number): ReplayResult | null {
  if (from.epoch !== epoch) return { complete: false, reason: 'epoch_mismatch' };
  if (from.seq > head) return { complete: false, reason: 'ahead' };
  return null;
}
