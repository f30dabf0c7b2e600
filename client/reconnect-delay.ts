import type { Verdict } from './verdict.js';

/** Delays before the client reconnects. */
export interface ReconnectDelays {
  /** Milliseconds before the first attempt; each further attempt doubles them. */
  readonly firstMs: number;
  /** Maximum delay in milliseconds. */
  readonly longestMs: number;
}

/** The default delays. */
export const DEFAULT_RECONNECT_DELAYS: ReconnectDelays = { firstMs: 500, longestMs: 20_000 };

/** Maximum delay of "at once", so that many clients do not reconnect in the same millisecond. */
const AT_ONCE_MS = 100;

/** Chooses the delay before reconnecting (P-4.5); it grows with each failure. */
export class ReconnectDelay {
  private failures = 0;

  /** `random` returns numbers from 0 (inclusive) to 1 (exclusive). */
  constructor(
    private readonly delays: ReconnectDelays,
    private readonly random: () => number = Math.random,
  ) {}

  /** Starts again with the shortest delay, after a good session. */
  reset(): void {
    this.failures = 0;
  }

  /** Returns the milliseconds before the next attempt. */
  next(verdict: Verdict): number {
    const failures = this.failures++;
    if (verdict !== 'later' && failures === 0) return this.random() * AT_ONCE_MS;
    const delay = Math.min(this.delays.longestMs, this.delays.firstMs * 2 ** failures);
    return delay * (0.5 + this.random() / 2);
  }
}
