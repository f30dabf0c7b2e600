/** The longest delay that timers support. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time limit: its signal aborts when the time is over. */
export class TimeLimit {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private startedAt = 0;

  /** `describe` returns the error of the signal; `Infinity` sets no limit. */
  constructor(
    private readonly ms: number,
    private readonly describe: () => Error,
  ) {
    this.restart();
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Starts the time from zero. */
  restart(): void {
    this.startedAt = performance.now();
    this.resume();
  }

  /** Continues; the time since {@link stop} counts. */
  resume(): void {
    this.stop();
    if (this.ms > LONGEST_MS) return;
    const leftMs = this.startedAt + this.ms - performance.now();
    if (leftMs <= 0) this.end();
    else this.timer = setTimeout(() => this.end(), leftMs);
  }

  /** Suspends the limit; the signal does not abort meanwhile. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private end(): void {
    this.controller.abort(this.describe());
  }
}
