import type { CommandInput, ReplyData } from '#src/protocol/commands.js';
import type { Replay } from '#src/protocol/pages.js';
import type { LogEvent } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import { OWN_ROOM } from '#src/protocol/names.js';
import type { Resumed, Welcome } from '#src/protocol/welcome.js';

import { CatchUps } from './catch-ups.js';
import type { Gap } from './chat-events.js';
import { CommandError } from './command-error.js';
import { RoomCursor } from './room-cursor.js';
import type { RoomFeed } from './room-feed.js';

/** Rooms that hello takes in any case (P-5.12); others are caught up with one by one. */
const MOST_RESUMED = 100;

type SyncReply = RoomCut | Replay;

/** What {@link FollowedRooms} ask and tell. */
export interface RoomsHost {
  /**
   * Sends `room.sync` on the session that is open now; `take` gets the reply before any later
   * frame is read.
   */
  sync(data: CommandInput<'room.sync'>, take: (reply: SyncReply) => void): Promise<unknown>;
  /** An event of a log is handed out. */
  logged(event: LogEvent): void;
  gap(gap: Gap): void;
}

/** The rooms whose events are handed out: each event once, in the order of the log (P-5.10). */
export class FollowedRooms implements RoomFeed {
  private readonly cursors = new Map<string, RoomCursor>();
  private readonly catchUps = new CatchUps((cursor) => this.step(cursor));
  private userId: string | null = null;
  /** Hello is a frame too, and half of it is for the other fields (P-9.2). */
  private resumeBytes = DEFAULT_LIMITS.frameBytes / 2;

  constructor(
    positions: Readonly<Record<string, Position>>,
    private readonly host: RoomsHost,
  ) {
    for (const [room, position] of Object.entries(positions)) this.follow(room, position);
  }

  /** Gives the position of each log up to which events were handed out. */
  get positions(): Record<string, Position> {
    const staying = [...this.cursors.values()].filter(({ isLeaving }) => !isLeaving);
    return Object.fromEntries(staying.map(({ room, position }) => [room, position]));
  }

  /** Gives what hello asks to be resumed. */
  get resume(): Record<string, Position> {
    const { [OWN_ROOM]: own, ...rooms } = this.positions;
    let bytes = 0;
    const first = Object.entries(rooms)
      .slice(0, MOST_RESUMED)
      .filter((entry) => (bytes += greatestBytes(entry)) <= this.resumeBytes);
    return { ...Object.fromEntries(first), ...(own === undefined ? {} : { [OWN_ROOM]: own }) };
  }

  /** Takes up each room with a new session, by what the welcome says of it (P-5.12). */
  welcomed({ user, me, resumed, limits }: Welcome): void {
    this.userId = user.id;
    this.resumeBytes = limits.frameBytes / 2;
    this.catchUps.clear();
    for (const cursor of [...this.cursors.values()]) {
      if (cursor.isLeaving) this.cursors.delete(cursor.room);
      else this.takeUp(cursor, resumed[cursor.room], me);
    }
    if (!this.cursors.has(OWN_ROOM)) this.follow(OWN_ROOM, me);
  }

  /** Takes the cut that the user has asked for: events go on after it (P-5.5). */
  takeCut(cut: RoomCut): void {
    const cursor = this.cursors.get(cut.room);
    if (cursor === undefined || cursor.isLeaving) this.follow(cut.room, cut);
    // The cut does not replace the events before it, which are still to be handed out.
    else if (cursor.isCatchingUp) return;
    else if (cursor.position.epoch !== cut.epoch) this.skip(cursor, 'epoch_mismatch', cut);
    else if (cursor.position.seq < cut.seq) this.catchUps.start(cursor);
  }

  /** Notes that the user has left a room; the event of it may have come, or comes yet (P-5.6). */
  leave({ room, seq }: ReplyData<'room.leave'>): void {
    const cursor = this.cursors.get(room);
    if (cursor === undefined) return;
    if (cursor.position.seq >= seq) this.cursors.delete(room);
    else cursor.isLeaving = true;
  }

  /** Takes an event of a log: hands it out, drops it, or asks for those before it (P-5.10). */
  take(event: LogEvent): void {
    const cursor = this.cursors.get(event.data.room);
    if (cursor === undefined) return;
    if (cursor.isCatchingUp) {
      cursor.note(event.data.seq);
      return;
    }
    const judgement = cursor.judge(event.data);
    if (judgement === 'next') this.handOut(cursor, event);
    else if (judgement === 'gap') this.catchUps.start(cursor);
  }

  private follow(room: string, position: Position): void {
    this.cursors.set(room, new RoomCursor(room, position));
  }

  private takeUp(cursor: RoomCursor, resumed: Resumed | undefined, me: Position): void {
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

  /** Asks for a page of events, or for a cut if they cannot be had; true if that was not all. */
  private async step(cursor: RoomCursor): Promise<boolean> {
    const { room, lostFor } = cursor;
    if (!this.isFollowed(cursor)) return false;
    const { epoch, seq: after } = cursor.position;
    const data = lostFor === null ? { room, epoch, after } : { room };
    let hasMore = false;
    try {
      await this.host.sync(data, (reply) => {
        hasMore = this.takeReply(cursor, reply);
      });
    } catch (error) {
      // If the session was lost, the next one takes the room up again.
      if (error instanceof CommandError && this.isFollowed(cursor)) {
        this.forget(cursor, error.code);
      }
    }
    return hasMore;
  }

  private isFollowed(cursor: RoomCursor): boolean {
    return this.cursors.get(cursor.room) === cursor;
  }

  private takeReply(cursor: RoomCursor, reply: SyncReply): boolean {
    if (!this.isFollowed(cursor)) return false;
    if (!('complete' in reply)) this.skip(cursor, cursor.lostFor ?? 'trimmed', reply);
    else if (reply.complete) return this.takePage(cursor, reply);
    else if (cursor.room === OWN_ROOM) this.skip(cursor, reply.reason, reply);
    else cursor.lostFor = reply.reason;
    return cursor.isCatchingUp;
  }

  private takePage(
    cursor: RoomCursor,
    { events, seq, hasMore }: Extract<Replay, { complete: true }>,
  ): boolean {
    const before = cursor.position.seq;
    cursor.memberAt = seq;
    for (const event of events as unknown as readonly LogEvent[]) {
      if (event.data.seq > cursor.position.seq) this.handOut(cursor, event);
    }
    cursor.advance(seq);
    // Live events do not pause while the own log is caught up with (P-5.14).
    const isBehind = cursor.isBehind && cursor.position.seq > before;
    cursor.isCatchingUp = hasMore || isBehind;
    return cursor.isCatchingUp;
  }

  private handOut(cursor: RoomCursor, event: LogEvent): void {
    cursor.advance(event.data.seq);
    if (this.isOwnLeave(cursor, event)) this.cursors.delete(cursor.room);
    this.host.logged(event);
  }

  /** Who left and joined again meanwhile, with another client, is still a member. */
  private isOwnLeave(cursor: RoomCursor, { event, data }: LogEvent): boolean {
    return event === 'member.left' && data.user.id === this.userId && data.seq > cursor.memberAt;
  }

  /** Goes on without the events that cannot be had, and says so. */
  private skip(cursor: RoomCursor, reason: Gap['reason'], to: Position | RoomCut): void {
    const { room, position: after } = cursor;
    cursor.moveTo(to);
    this.host.gap({ room, after, reason, ...('info' in to ? { cut: to } : {}) });
  }

  /** Follows a room no longer, and says so. */
  private forget({ room, position: after }: RoomCursor, reason: Gap['reason']): void {
    this.cursors.delete(room);
    this.host.gap({ room, after, reason });
  }
}

/** A code unit is at most 3 bytes in UTF-8. */
function greatestBytes(value: unknown): number {
  return JSON.stringify(value).length * 3;
}
