import { TokenBucket, type BucketRate } from './token-bucket.js';

const KEPT_BUCKETS = 100_000;

/** Token buckets of users or addresses, each kept while something is missing in it (P-9.10). */
export class KeyedBuckets {
  /** Those that were taken from longest ago in front. */
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(private readonly rate: BucketRate) {}

  /** Takes a token or several; gives 0, or the milliseconds until there are as many. */
  take(key: string, count = 1): number {
    const bucket = this.buckets.get(key) ?? new TokenBucket(this.rate);
    const wait = bucket.take(count);
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    for (const [old, one] of this.buckets) {
      if (!one.isFull() && this.buckets.size <= KEPT_BUCKETS) break;
      this.buckets.delete(old);
    }
    return wait;
  }

  /** Gives back a token that was not used after all. */
  giveBack(key: string): void {
    this.buckets.get(key)?.giveBack();
  }
}
