import type { Position } from '#src/protocol/models.js';

import type { Gap } from './chat-events.js';

/** What an event is to who has handed out those before it (P-5.10). */
export type Judgement = 'next' | 'old' | 'gap';

/** How far the events of one log were handed out. */
export class RoomCursor {
  /** Whether events are asked for; those that come live meanwhile are among them. */
  isCatchingUp = false;
  /** Why the events after the position cannot be had; null if they can. */
  lostFor: Gap['reason'] | null = null;
  /** Whether the user has left; the event of that may still come. */
  isLeaving = false;
  /** Position at which the user was a member, by what the server said last. */
  memberAt: number;
  private at: Position;
  /** Highest position that came live while the cursor was catching up. */
  private seen = 0;

  constructor(
    readonly room: string,
    position: Position,
  ) {
    this.at = { epoch: position.epoch, seq: position.seq };
    this.memberAt = position.seq;
  }

  /** Position of the last event that was handed out. */
  get position(): Position {
    return this.at;
  }

  /** Whether an event came live that is after the position. */
  get isBehind(): boolean {
    return this.seen > this.at.seq;
  }

  /** Goes on to a position of the same log. */
  advance(seq: number): void {
    this.at = { epoch: this.at.epoch, seq: Math.max(seq, this.at.seq) };
  }

  /** Goes to a position, whatever lies between. */
  moveTo({ epoch, seq }: Position): void {
    this.at = { epoch, seq };
    this.memberAt = seq;
    this.seen = 0;
    this.lostFor = null;
    this.isCatchingUp = false;
  }

  /** Notes an event that came live and is going to be asked for. */
  note(seq: number): void {
    this.seen = Math.max(seq, this.seen);
  }

  /** Judges an event by its position (P-5.10). */
  judge({ seq, prev = seq - 1 }: { seq: number; prev?: number | undefined }): Judgement {
    if (this.at.seq === prev) return 'next';
    return seq <= this.at.seq ? 'old' : 'gap';
  }
}
