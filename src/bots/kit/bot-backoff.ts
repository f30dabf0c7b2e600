const FAILURES = 5;
const WINDOW_MS = 60_000;
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 15 * 60_000;

/** Suspends a bot that keeps failing, for longer each time (P-13.6). */
export class BotBackoff {
  private failures: number[] = [];
  private restMs = FIRST_REST_MS;
  private until = 0;

  /** Returns the time at which the bot stops resting, in milliseconds since 1970; or null. */
  restingUntil(now = Date.now()): number | null {
    return now < this.until ? this.until : null;
  }

  /** Records a success; one that started before a rest does not end the rest. */
  succeeded(now = Date.now()): void {
    if (this.until === 0 || now < this.until) return;
    this.until = 0;
    this.restMs = FIRST_REST_MS;
    this.failures = [];
  }

  /** Records a failure; returns true if the bot starts to rest. */
  failed(now = Date.now()): boolean {
    // A handler that started before the rest is part of its cause.
    if (now < this.until) return false;
    const isOnTrial = this.until !== 0;
    this.failures = [...this.failures.filter((at) => now - at < WINDOW_MS), now];
    if (!isOnTrial && this.failures.length < FAILURES) return false;
    this.failures = [];
    this.until = now + this.restMs;
    this.restMs = Math.min(this.restMs * 2, LONGEST_REST_MS);
    return true;
  }
}
