import { LRUCache } from 'lru-cache';

import { TokenBucket, type BucketRate } from './token-bucket.js';

const MAX_BUCKETS = 100_000;

/** Token buckets of users or addresses, by key (P-9.10). */
export class KeyedBuckets {
  /** The buckets used last; one that is unused for long is full again, and need not be kept. */
  private readonly buckets = new LRUCache<string, TokenBucket>({
    // A bound by size, not by `max`, which would reserve memory for every bucket at once.
    maxSize: MAX_BUCKETS,
    sizeCalculation: () => 1,
  });

  constructor(private readonly rate: BucketRate) {}

  /** Consumes tokens; returns 0, or the milliseconds until there are enough. */
  consume(key: string, count = 1): number {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.rate);
      this.buckets.set(key, bucket);
    }
    return bucket.consume(count);
  }

  /** Returns a token that was not used after all. */
  refund(key: string): void {
    this.buckets.get(key)?.refund();
  }
}
