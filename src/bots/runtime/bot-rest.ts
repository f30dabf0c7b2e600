const FAILURES = 5;
const WINDOW_MS = 60_000;
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 15 * 60_000;

/** Puts a bot to rest that fails again and again, and tries it anew later (P-13.6). */
export class BotRest {
  private failures: number[] = [];
  private restMs = FIRST_REST_MS;
  private until = 0;

  /** When a resting bot is tried again, in milliseconds since 1970; null if it does not rest. */
  restsUntil(now = Date.now()): number | null {
    return now < this.until ? this.until : null;
  }

  /** Notes that the bot dealt with something; what had begun before a rest says nothing of it. */
  succeeded(now = Date.now()): void {
    if (this.until === 0 || now < this.until) return;
    this.until = 0;
    this.restMs = FIRST_REST_MS;
    this.failures = [];
  }

  /** Notes a failure; true if the bot rests from now on. */
  failed(now = Date.now()): boolean {
    // What had begun before belongs to the failures that led to the rest.
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
