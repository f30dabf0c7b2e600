/** Admits one log line per key and period, and a maximum number of lines per period. */
export class LogThrottle {
  private readonly seen = new Set<string>();
  private since = performance.now();

  /** `max` limits the lines of one period, since clients can make up any number of keys. */
  constructor(
    private readonly periodMs: number,
    private readonly max: number,
  ) {}

  /** Whether this period has reached its maximum number of lines. */
  get isFull(): boolean {
    return this.seen.size >= this.max;
  }

  /** Returns whether to log a line about `key` now, and counts it if so. */
  admits(key: string): boolean {
    const now = performance.now();
    if (now - this.since > this.periodMs) {
      this.seen.clear();
      this.since = now;
    }
    if (this.isFull || this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }
}
