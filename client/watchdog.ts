/** Finds out that nothing has come for too long. */
export class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private patienceMs = 0;

  /** `onSilence` is called once. */
  constructor(private readonly onSilence: () => void) {}

  /** Begins to watch; the patience is in milliseconds. */
  watch(patienceMs: number): void {
    this.patienceMs = patienceMs;
    this.heard();
    this.lookAfter(patienceMs);
  }

  /** Notes that something came. */
  heard(): void {
    this.heardAt = performance.now();
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.timer);
  }

  /** One timer for many frames: it is set anew only when it has run out. */
  private lookAfter(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const leftMs = this.heardAt + this.patienceMs - performance.now();
      if (leftMs > 0) this.lookAfter(leftMs);
      else this.onSilence();
    }, ms);
  }
}
