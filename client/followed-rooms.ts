import type { CommandInput, ReplyData } from '#src/protocol/commands.js';
import type { Replay } from '#src/protocol/pages.js';
import type { EventData, LogEvent } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import { OWN_ROOM } from '#src/protocol/names.js';
import type { Resumed, Welcome } from '#src/protocol/welcome.js';

import { CatchUps } from './catch-ups.js';
import type { Gap } from './chat-events.js';
import { CommandError } from './command-error.js';
import { orderOfEvent, RoomCursor } from './room-cursor.js';
import type { RoomFeed } from './room-feed.js';

/** Number of rooms that hello resumes in any case (P-5.12); others catch up one by one. */
const MOST_RESUMED = 100;

type SyncReply = RoomCut | Replay;

/** The connections of {@link FollowedRooms} to the rest of the client. */
export interface FollowedRoomsHost {
  /**
   * Sends `room.sync` on the session that is open now; `onReply` gets the reply before any later
   * frame is read.
   */
  sync(data: CommandInput<'room.sync'>, onReply: (reply: SyncReply) => void): Promise<unknown>;
  /** Delivers an event of a log. */
  logged(event: LogEvent): void;
  gap(gap: Gap): void;
}

/** The rooms of a user; delivers each event once, in the order of its log (P-5.10). */
export class FollowedRooms implements RoomFeed {
  private readonly cursors = new Map<string, RoomCursor>();
  private readonly catchUps = new CatchUps((cursor) => this.step(cursor));
  private userId: string | null = null;
  /** Half of the size of a frame; the other half is for the other fields of hello (P-9.2). */
  private resumeBytes = DEFAULT_LIMITS.frameBytes / 2;

  constructor(
    positions: Readonly<Record<string, Position>>,
    private readonly host: FollowedRoomsHost,
  ) {
    for (const [room, position] of Object.entries(positions)) this.follow(room, position);
  }

  /** Position of the last delivered event of each log. */
  get positions(): Record<string, Position> {
    const isStaying = ({ isLeaving, isNew }: RoomCursor) => !isLeaving && !isNew;
    const staying = [...this.cursors.values()].filter(isStaying);
    return Object.fromEntries(staying.map(({ room, position }) => [room, position]));
  }

  /** The positions that hello asks to resume. */
  get resume(): Record<string, Position> {
    const { [OWN_ROOM]: own, ...rooms } = this.positions;
    let bytes = 0;
    const first = Object.entries(rooms)
      .slice(0, MOST_RESUMED)
      .filter((entry) => (bytes += maxBytes(entry)) <= this.resumeBytes);
    return { ...Object.fromEntries(first), ...(own === undefined ? {} : { [OWN_ROOM]: own }) };
  }

  /** Resumes each room in a new session, as the welcome says (P-5.12). */
  welcomed({ user, me, resumed, limits }: Welcome): void {
    this.userId = user.id;
    this.resumeBytes = limits.frameBytes / 2;
    this.catchUps.clear();
    for (const cursor of [...this.cursors.values()]) {
      if (cursor.isLeaving) this.cursors.delete(cursor.room);
      else this.resumeCursor(cursor, resumed[cursor.room], me);
    }
    if (!this.cursors.has(OWN_ROOM)) this.follow(OWN_ROOM, me);
  }

  /** Handles a cut that the app requested: events continue after it (P-5.5). */
  handleCut(cut: RoomCut): void {
    const cursor = this.cursors.get(cut.room);
    if (cursor === undefined || cursor.isLeaving) this.follow(cut.room, cut);
    else if (cursor.isNew) cursor.moveTo(cut);
    // The events before the cut are still to be delivered.
    else if (cursor.isCatchingUp) return;
    else if (cursor.position.epoch !== cut.epoch) this.skip(cursor, 'epoch_mismatch', cut);
    else if (cursor.position.seq < cut.seq) this.catchUps.start(cursor);
  }

  /** Stops following a room that the user left, after the event of leaving (P-5.6). */
  leave({ room, seq }: ReplyData<'room.leave'>): void {
    const cursor = this.cursors.get(room);
    if (cursor === undefined) return;
    if (cursor.position.seq >= seq) this.cursors.delete(room);
    else cursor.isLeaving = true;
  }

  /** Delivers an event of a log, drops it, or requests the events before it (P-5.10). */
  handle(event: LogEvent): void {
    const cursor = this.cursors.get(event.data.room);
    if (cursor === undefined) return;
    if (cursor.isCatchingUp) {
      cursor.note(event.data.seq);
      return;
    }
    const order = orderOfEvent(cursor.position.seq, event.data);
    if (order === 'next') this.deliver(cursor, event);
    else if (order === 'gap') this.catchUps.start(cursor);
  }

  private follow(room: string, position: Position): void {
    this.cursors.set(room, new RoomCursor(room, position));
  }

  private resumeCursor(cursor: RoomCursor, resumed: Resumed | undefined, me: Position): void {
    cursor.isCatchingUp = false;
    cursor.lostFor = null;
    if (resumed?.complete === true) {
      cursor.memberAt = resumed.seq;
      return;
    }
    const reason = resumed?.reason ?? 'behind';
    if (reason === 'behind') this.catchUps.start(cursor);
    else if (cursor.room === OWN_ROOM) this.skip(cursor, reason, me);
    else if (reason === 'not_found' || reason === 'limit') this.forget(cursor, reason);
    else {
      cursor.lostFor = reason;
      this.catchUps.start(cursor);
    }
  }

  /** Requests a page of events, or a cut if they are gone; resolves to whether more follow. */
  private async step(cursor: RoomCursor): Promise<boolean> {
    const { room, lostFor, isNew } = cursor;
    if (!this.isFollowed(cursor)) return false;
    const { epoch, seq: after } = cursor.position;
    const data = lostFor === null && !isNew ? { room, epoch, after } : { room };
    let hasMore = false;
    try {
      await this.host.sync(data, (reply) => {
        hasMore = isNew ? this.enter(cursor, reply) : this.handleSyncReply(cursor, reply);
      });
    } catch (error) {
      // If the session was lost, the next one resumes the room.
      if (error instanceof CommandError && this.isFollowed(cursor)) {
        this.forget(cursor, error.code);
      }
    }
    return hasMore;
  }

  /** Starts a new room from its cut; returns false if a cut that the app requested came first. */
  private enter(cursor: RoomCursor, reply: SyncReply): boolean {
    if (!cursor.isNew || !this.isFollowed(cursor) || 'complete' in reply) return false;
    return cursor.enter(reply);
  }

  private isFollowed(cursor: RoomCursor): boolean {
    return this.cursors.get(cursor.room) === cursor;
  }

  private handleSyncReply(cursor: RoomCursor, reply: SyncReply): boolean {
    if (!this.isFollowed(cursor)) return false;
    if (!('complete' in reply)) this.skip(cursor, cursor.lostFor ?? 'trimmed', reply);
    else if (reply.complete) return this.handlePage(cursor, reply);
    else if (cursor.room === OWN_ROOM) this.skip(cursor, reply.reason, reply);
    else cursor.lostFor = reply.reason;
    return cursor.isCatchingUp;
  }

  private handlePage(
    cursor: RoomCursor,
    { events, seq, hasMore }: Extract<Replay, { complete: true }>,
  ): boolean {
    const before = cursor.position.seq;
    cursor.memberAt = seq;
    for (const event of events as unknown as readonly LogEvent[]) {
      if (event.data.seq > cursor.position.seq) this.deliver(cursor, event);
    }
    cursor.advance(seq);
    // Live events do not pause while the own log catches up (P-5.14).
    const isBehind = cursor.isBehind && cursor.position.seq > before;
    cursor.isCatchingUp = hasMore || isBehind;
    return cursor.isCatchingUp;
  }

  private deliver(cursor: RoomCursor, event: LogEvent): void {
    cursor.advance(event.data.seq);
    if (this.isOwnLeave(cursor, event)) this.cursors.delete(cursor.room);
    if (event.data.at >= cursor.since) this.host.logged(event);
    if (event.event === 'dm.opened') this.followDirect(event.data);
  }

  /** Follows a direct room from the time when another user opened it (P-5.17). */
  private followDirect({ info: { id }, at }: EventData<'dm.opened'>): void {
    const known = this.cursors.get(id);
    if (known?.isLeaving === false) return;
    const cursor = RoomCursor.entering(id, at);
    this.cursors.set(id, cursor);
    this.catchUps.start(cursor);
  }

  /** Ignores the leave of a user who has joined again with another client. */
  private isOwnLeave(cursor: RoomCursor, { event, data }: LogEvent): boolean {
    return event === 'member.left' && data.user.id === this.userId && data.seq > cursor.memberAt;
  }

  /** Continues without events that the server no longer has, and reports the gap. */
  private skip(cursor: RoomCursor, reason: Gap['reason'], to: Position | RoomCut): void {
    const { room, position: after } = cursor;
    cursor.moveTo(to);
    this.host.gap({ room, after, reason, ...('info' in to ? { cut: to } : {}) });
  }

  /** Stops following a room, and reports the gap. */
  private forget({ room, position: after }: RoomCursor, reason: Gap['reason']): void {
    this.cursors.delete(room);
    this.host.gap({ room, after, reason });
  }
}

/** A code unit is at most 3 bytes in UTF-8. */
function maxBytes(value: unknown): number {
  return JSON.stringify(value).length * 3;
}
