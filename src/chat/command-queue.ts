import type { Call } from './call.js';

/** Whose commands a queue keeps in order. */
export interface QueueOwner {
  /** Starts a call; settles it sooner or later and never rejects. */
  start(call: Call): Promise<void>;
  /** Tells whether a command lets the next one start before it is done. */
  isWrite(name: string): boolean;
  /** Resolves when one more command may start as far as its reply goes; undefined if it may now. */
  untilRead(): Promise<void> | undefined;
  /** Called when replies were sent. */
  answered(): void;
}

/**
 * The commands of one connection, in the order sent (P-3.4).
 *
 * A write lets the next command start as soon as it has its place in the order of writes, so that
 * pipelined writes share a commit; anything else starts after all before it are done, and lets
 * nothing start before it is done itself. Replies leave in the order of the commands. While too
 * much of them is unread, nothing starts.
 */
export class CommandQueue {
  private waiting: Call[] = [];
  private started: Call[] = [];
  private busy: Promise<void> | null = null;
  private allDone: (() => void) | undefined;

  constructor(private readonly owner: QueueOwner) {}

  /** Commands that have no reply yet. */
  get length(): number {
    return this.waiting.length + this.started.length;
  }

  /** Whether nothing waits, runs, or is about to. */
  get isIdle(): boolean {
    return this.busy === null && this.length === 0;
  }

  /** Takes a command in its turn. */
  accept(call: Call): void {
    this.waiting.push(call);
    this.busy ??= this.work();
  }

  /** Resolves when every command has its reply. */
  async drained(): Promise<void> {
    while (this.busy !== null || this.started.length > 0) {
      await this.busy;
      await this.untilDone();
    }
  }

  /** Drops the commands that have not started. */
  drop(): void {
    this.waiting = [];
  }

  private async work(): Promise<void> {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const write = this.owner.isWrite(next.name);
      if (!write) await this.untilDone();
      await this.owner.untilRead();
      const call = this.waiting.shift();
      // All may have been dropped meanwhile.
      if (call === undefined) break;
      this.started.push(call);
      void this.owner.start(call).then(this.flush);
      await call.untilPlaced();
      if (!write) await this.untilDone();
    }
    this.busy = null;
    this.owner.answered();
  }

  private async untilDone(): Promise<void> {
    if (this.started.length === 0) return;
    await new Promise<void>((resolve) => {
      const before = this.allDone;
      this.allDone = () => {
        before?.();
        resolve();
      };
    });
  }

  private readonly flush = (): void => {
    for (let call = this.started[0]; call?.outcome !== undefined; call = this.started[0]) {
      this.started.shift();
      call.send(call.outcome);
    }
    if (this.started.length === 0) {
      const done = this.allDone;
      this.allDone = undefined;
      done?.();
    }
    this.owner.answered();
  };
}
