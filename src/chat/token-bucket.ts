/** How fast a bucket fills, and how much it holds. */
export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

const monotonic = (): number => performance.now();

/** A token bucket; what is taken comes back with time (P-9.10). */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  /** `now` tells the time in milliseconds. */
  constructor(
    private readonly rate: BucketRate,
    private readonly now = monotonic,
  ) {
    this.tokens = rate.burst;
    this.filledAt = now();
  }

  /** Tells whether nothing is missing: another bucket would do as well. */
  isFull(): boolean {
    this.fill();
    return this.tokens >= this.rate.burst;
  }

  /**
   * Takes a token or several; gives 0, or the milliseconds until there are as many.
   *
   * What is more than the bucket ever holds takes all of it.
   */
  take(count = 1): number {
    this.fill();
    const wanted = Math.min(count, this.rate.burst);
    if (this.tokens >= wanted) {
      this.tokens -= wanted;
      return 0;
    }
    return Math.ceil(((wanted - this.tokens) * 1_000) / this.rate.perSecond);
  }

  /** Gives back a token that was not used after all. */
  giveBack(): void {
    this.tokens = Math.min(this.rate.burst, this.tokens + 1);
  }

  private fill(): void {
    const now = this.now();
    // A clock that was set back takes nothing away.
    const earned = (Math.max(0, now - this.filledAt) * this.rate.perSecond) / 1_000;
    this.tokens = Math.min(this.rate.burst, this.tokens + earned);
    this.filledAt = now;
  }
}
