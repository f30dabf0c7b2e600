/** Tokens that a bucket gains per second, and the most that it holds. */
export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

const monotonic = (): number => performance.now();

/** A token bucket: consumed tokens come back over time (P-9.10). */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  /** `now` returns the time in milliseconds. */
  constructor(
    private readonly rate: BucketRate,
    private readonly now = monotonic,
  ) {
    this.tokens = rate.burst;
    this.filledAt = now();
  }

  /** Returns whether the bucket is full, so that it need not be kept. */
  isFull(): boolean {
    this.fill();
    return this.tokens >= this.rate.burst;
  }

  /**
   * Consumes tokens; returns 0, or the milliseconds until there are enough.
   *
   * A count above the burst consumes a full bucket.
   */
  consume(count = 1): number {
    this.fill();
    const wanted = Math.min(count, this.rate.burst);
    if (this.tokens >= wanted) {
      this.tokens -= wanted;
      return 0;
    }
    return Math.ceil(((wanted - this.tokens) * 1_000) / this.rate.perSecond);
  }

  /** Returns the milliseconds until the bucket is out of debt; 0 if it is in none. */
  waitMs(): number {
    this.fill();
    return this.tokens > 0 ? 0 : Math.ceil(((1 - this.tokens) * 1_000) / this.rate.perSecond);
  }

  /**
   * Charges tokens whose number is known only afterwards; the bucket may go into debt.
   *
   * The debt is at most the burst, so that no wait is endless.
   */
  charge(count: number): void {
    this.fill();
    this.tokens = Math.max(-this.rate.burst, this.tokens - count);
  }

  /** Returns tokens that were not used after all. */
  refund(count = 1): void {
    this.tokens = Math.min(this.rate.burst, this.tokens + count);
  }

  private fill(): void {
    const now = this.now();
    // A clock that was set back removes no tokens.
    const earned = (Math.max(0, now - this.filledAt) * this.rate.perSecond) / 1_000;
    this.tokens = Math.min(this.rate.burst, this.tokens + earned);
    this.filledAt = now;
  }
}
