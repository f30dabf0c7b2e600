import type { Position, RoomCut } from '#src/protocol/models.js';

import type { Gap } from './chat-events.js';

/** The order of an event relative to the last delivered one (P-5.10). */
export type EventOrder = 'next' | 'old' | 'gap';

/** Compares an event with the position of the last delivered one (P-5.10). */
export function orderOfEvent(
  last: number,
  { seq, prev = seq - 1 }: { seq: number; prev?: number | undefined },
): EventOrder {
  if (last === prev) return 'next';
  return seq <= last ? 'old' : 'gap';
}

/** The position of the client in one log. */
export class RoomCursor {
  /** Whether the client requests missed events; they include live ones that arrive meanwhile. */
  isCatchingUp = false;
  /** Why the server no longer has the events after the position; null if it has them. */
  lostFor: Gap['reason'] | null = null;
  /** Whether the user has left; the event of leaving may still arrive. */
  isLeaving = false;
  /** Latest position at which the user was a member, as the server said. */
  memberAt: number;
  /** Whether only the time of entry is known, and no position yet. */
  isNew = false;
  private at: Position;
  /** Highest position of a live event that arrived while the cursor was catching up. */
  private seen = 0;

  constructor(
    readonly room: string,
    position: Position,
    /** Time from which on events are delivered: the user was not a member before. */
    readonly since = 0,
  ) {
    this.at = { epoch: position.epoch, seq: position.seq };
    this.memberAt = position.seq;
  }

  /** Creates a cursor for a room of which only the time of entry is known. */
  static entering(room: string, since: number): RoomCursor {
    const cursor = new RoomCursor(room, { epoch: '', seq: 0 }, since);
    cursor.isNew = true;
    return cursor;
  }

  /** Position of the last delivered event. */
  get position(): Position {
    return this.at;
  }

  /** Whether a live event arrived that is after the position. */
  get isBehind(): boolean {
    return this.seen > this.at.seq;
  }

  /** Moves to a later position of the same log. */
  advance(seq: number): void {
    this.at = { epoch: this.at.epoch, seq: Math.max(seq, this.at.seq) };
  }

  /** Moves to any position, and skips the events before it. */
  moveTo({ epoch, seq }: Position): void {
    this.at = { epoch, seq };
    this.memberAt = seq;
    this.seen = 0;
    this.lostFor = null;
    this.isCatchingUp = false;
    this.isNew = false;
  }

  /** Moves to the last position before the time of entry; returns whether events follow it. */
  enter({ epoch, seq, messages, hasMore }: RoomCut): boolean {
    const older = messages.filter(({ at }) => at < this.since);
    const first = hasMore ? (messages[0]?.seq ?? 1) - 1 : 0;
    this.moveTo({ epoch, seq: older.at(-1)?.seq ?? first });
    this.isCatchingUp = this.at.seq < seq;
    return this.isCatchingUp;
  }

  /** Records the position of a live event, which the client is going to request. */
  note(seq: number): void {
    this.seen = Math.max(seq, this.seen);
  }
}
