import type { RoomCursor } from './room-cursor.js';

/** Rooms that are caught up with at the same time; more would exceed the rate of commands. */
const AT_ONCE = 4;

/** Takes one step towards the head of a log; resolves to whether there are more to take. */
export type CatchUpStep = (cursor: RoomCursor) => Promise<boolean>;

/** Brings rooms to the heads of their logs, some at a time (P-5.11). */
export class CatchUps {
  private waiting: RoomCursor[] = [];
  private running = 0;

  /** `step` never rejects. */
  constructor(private readonly step: CatchUpStep) {}

  /** Begins to catch up with a room, or does so when others are done. */
  start(cursor: RoomCursor): void {
    cursor.isCatchingUp = true;
    this.waiting.push(cursor);
    this.runMore();
  }

  /** Forgets what waits: the session is over. */
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
