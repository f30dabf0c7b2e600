/** Detects that the server has been silent for too long. */
export class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private limitMs = 0;

  /** `onSilence` is called once. */
  constructor(private readonly onSilence: () => void) {}

  /** Starts to watch for a silence of `limitMs` milliseconds. */
  watch(limitMs: number): void {
    this.limitMs = limitMs;
    this.heard();
    this.schedule(limitMs);
  }

  /** Records that a frame arrived. */
  heard(): void {
    this.heardAt = performance.now();
  }

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.timer);
  }

  /** Uses one timer for many frames: it is set again only when it has fired. */
  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const leftMs = this.heardAt + this.limitMs - performance.now();
      if (leftMs > 0) this.schedule(leftMs);
      else this.onSilence();
    }, ms);
  }
}
