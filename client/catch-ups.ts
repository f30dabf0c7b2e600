import type { RoomCursor } from './room-cursor.js';

/** Number of rooms that catch up at the same time; more would exceed the rate of commands. */
const AT_ONCE = 4;

/** Makes one step towards the head of a log; resolves to whether more steps follow. */
export type CatchUpStep = (cursor: RoomCursor) => Promise<boolean>;

/** Requests missed events room by room, for a few rooms at a time (P-5.11). */
export class CatchUps {
  private waiting: RoomCursor[] = [];
  private running = 0;

  /** `step` never rejects. */
  constructor(private readonly step: CatchUpStep) {}

  /** Starts to catch up with a room, or queues it while too many rooms are catching up. */
  start(cursor: RoomCursor): void {
    cursor.isCatchingUp = true;
    this.waiting.push(cursor);
    this.runMore();
  }

  /** Empties the queue: the session has ended. */
  clear(): void {
    this.waiting = [];
  }

  private runMore(): void {
    while (this.running < AT_ONCE) {
      const cursor = this.waiting.shift();
      if (cursor === undefined) return;
      this.running++;
      void this.run(cursor);
    }
  }

  private async run(cursor: RoomCursor): Promise<void> {
    for (let hasMore = true; hasMore;) hasMore = await this.step(cursor);
    this.running--;
    this.runMore();
  }
}
