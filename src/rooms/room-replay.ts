import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { MAX_SEQ, type LogEvent, type Position } from '../protocol/index.js';
import type { ActiveRoom } from './active-room.js';
import { ActiveRooms } from './active-rooms.js';
import { RoomLog } from './room-log.js';
import { findRoom } from './room-rows.js';

const PAGE_EVENTS = 500;

/** Why a log cannot be replayed from a position. */
export type ReplayFailure = 'epoch_mismatch' | 'trimmed' | 'ahead';

/** Events after a position; `more` tells whether there are others after them. */
export type ReplayResult =
  | { readonly complete: true; readonly events: readonly LogEvent[]; readonly more: boolean }
  | { readonly complete: false; readonly reason: ReplayFailure };

/** Replays logs after a position: all of it in pages, or a reason; never a silent part (P-5.11). */
@Injectable()
export class RoomReplay {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
  ) {}

  /**
   * Replays a room for one of its members, from memory if it can, else from the database.
   *
   * `arrive` is called in the moment when the user is a member and, if nothing is left (`more` is
   * false), the room is at the position after the events.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async forMember<T>(
    id: string,
    userId: string,
    from: Position,
    arrive: (room: ActiveRoom, result: ReplayResult) => T,
  ): Promise<T> {
    for (;;) {
      const room = await this.rooms.getForMember(id, userId);
      const result = await this.ofRoom(room, from);
      // While that was awaited, the user may have left, and the room may have gone on or away.
      if (!this.rooms.isCurrentFor(room, userId)) continue;
      if (isBehind(result, from, room.head)) continue;
      return arrive(room, result);
    }
  }

  private async ofRoom(room: ActiveRoom, from: Position): Promise<ReplayResult> {
    const refusal = refuse(from, room.epoch, room.head);
    if (refusal !== null) return refusal;
    const recent = room.since(from.seq);
    if (recent !== null) return this.cut(recent, false);
    const page = await this.readPage(room.id, from.seq, room.head);
    if (!page.complete || page.more) return page;
    const rest = room.since(page.events.at(-1)?.data.seq ?? from.seq);
    return rest === null ? { ...page, more: true } : this.cut([...page.events, ...rest], false);
  }

  /** Replays the own log of a user, whose epoch is known even before the log is stored. */
  async ofOwnLog(
    log: string,
    epoch: string,
    from: Position,
  ): Promise<ReplayResult & { head: number }> {
    const found = await this.reader.snapshot(({ sql }) => findRoom(sql, log));
    const head = found?.head ?? 0;
    const refusal = refuse(from, found?.epoch ?? epoch, head);
    if (refusal !== null) return { ...refusal, head };
    if (from.seq === head) return { complete: true, events: [], more: false, head };
    return { ...(await this.readPage(log, from.seq, head)), head };
  }

  private async readPage(log: string, after: number, head: number): Promise<ReplayResult> {
    const from = Math.min(after, MAX_SEQ);
    const read = await this.reader.snapshot(({ sql }) =>
      this.log.read(sql, log, from, PAGE_EVENTS + 1),
    );
    const events = read.slice(0, PAGE_EVENTS).map(({ event }) => event);
    const first = events[0]?.data.seq;
    if (first === undefined ? after < head : first !== after + 1) {
      return { complete: false, reason: 'trimmed' };
    }
    return this.cut(events, read.length > PAGE_EVENTS);
  }

  private cut(events: readonly LogEvent[], more: boolean): ReplayResult {
    const fitting = takeBytes(events, this.config.limits.pageBytes);
    return { complete: true, events: fitting, more: more || fitting.length < events.length };
  }
}

/** Takes as many items as fit into a number of bytes of JSON, but at least one (P-9.8). */
export function takeBytes<T>(items: readonly T[], bytes: number): readonly T[] {
  // The brackets around them, and a comma after each but the last.
  let left = bytes - 1;
  for (const [index, item] of items.entries()) {
    left -= Buffer.byteLength(JSON.stringify(item)) + 1;
    if (left < 0) return items.slice(0, Math.max(1, index));
  }
  return items;
}

/** Tells whether something was appended after what was to be the end. */
function isBehind(result: ReplayResult, from: Position, head: number): boolean {
  if (!result.complete || result.more) return false;
  return (result.events.at(-1)?.data.seq ?? from.seq) !== head;
}

function refuse(from: Position, epoch: string, head: number): ReplayResult | null {
  if (from.epoch !== epoch) return { complete: false, reason: 'epoch_mismatch' };
  if (from.seq > head) return { complete: false, reason: 'ahead' };
  return null;
}
