import type { BusClock } from './bus-clock.js';

/** Lateness of a tick that counts as a stall, in milliseconds. */
const STALL_MS = 100;

/**
 * Measures how long this process stood still between two ticks.
 *
 * After a stall, timers fire before what arrived meanwhile is read. Without this, everybody else
 * would appear silent.
 */
export class StallMeter {
  private lastTick: number;

  constructor(
    private readonly clock: BusClock,
    private readonly periodMs: number,
  ) {
    this.lastTick = clock.now();
  }

  /** Returns the milliseconds of a stall since the last tick, 0 if there was none. */
  tick(): number {
    const now = this.clock.now();
    const late = now - this.lastTick - this.periodMs;
    this.lastTick = now;
    return late > STALL_MS ? late : 0;
  }
}
