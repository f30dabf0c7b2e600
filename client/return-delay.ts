import type { Verdict } from './verdict.js';

/** How long the client waits before it comes back. */
export interface ReturnDelays {
  /** Milliseconds before the first attempt; each further one doubles it. */
  readonly firstMs: number;
  /** Milliseconds that are never exceeded. */
  readonly longestMs: number;
}

/** What holds unless the app says otherwise. */
export const DEFAULT_RETURN_DELAYS: ReturnDelays = { firstMs: 500, longestMs: 20_000 };

/** Clients that were all sent away at once do not come back within the same millisecond. */
const AT_ONCE_MS = 100;

/** Chooses how long to wait where the server has not (P-4.5); longer with each failure. */
export class ReturnDelay {
  private failures = 0;

  /** `random` gives numbers from 0 up to 1. */
  constructor(
    private readonly delays: ReturnDelays,
    private readonly random: () => number = Math.random,
  ) {}

  /** Notes that a session was a good one: the delays begin anew. */
  reset(): void {
    this.failures = 0;
  }

  /** Gives the milliseconds before the next attempt. */
  next(verdict: Verdict): number {
    const failures = this.failures++;
    if (verdict !== 'later' && failures === 0) return this.random() * AT_ONCE_MS;
    const delay = Math.min(this.delays.longestMs, this.delays.firstMs * 2 ** failures);
    return delay * (0.5 + this.random() / 2);
  }
}
