import type { BusClock, Cancel } from '#src/bus/bus-clock.js';

interface Timer {
  at: number;
  readonly periodMs: number | null;
  readonly run: () => void;
}

/** A clock that only moves when a test moves it. */
export class ManualClock implements BusClock {
  private readonly timers = new Set<Timer>();
  private time = 0;

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Cancel {
    return this.add({ at: this.time + ms, periodMs: null, run });
  }

  every(ms: number, run: () => void): Cancel {
    return this.add({ at: this.time + ms, periodMs: ms, run });
  }

  /** Moves the time, and runs what is due in its order, each time with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (let next = this.next(end); next !== undefined; next = this.next(end)) {
      this.time = Math.max(this.time, next.at);
      if (next.periodMs === null) this.timers.delete(next);
      else next.at += next.periodMs;
      next.run();
      await settle();
    }
    this.time = end;
  }

  /** Moves the time at once, as if this process had stood still: timers fire late. */
  async stall(ms: number): Promise<void> {
    this.time += ms;
    for (const timer of this.timers) {
      if (timer.periodMs !== null && timer.at < this.time) timer.at = this.time;
    }
    await this.advance(0);
  }

  private add(timer: Timer): Cancel {
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  private next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}

/** Waits for everything that follows without a timer. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
