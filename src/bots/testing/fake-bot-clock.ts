import { BotClock, type TimerOptions } from '../kit/bot-clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
  readonly background: boolean;
}

type Wait = () => Promise<void>;

/** A clock that stands still until a test advances it. */
export class FakeBotClock extends BotClock {
  /** Number of timers that were started so far. */
  scheduled = 0;
  private readonly timers = new Set<Timer>();
  private paused: Wait = () => Promise.resolve();
  private settled: Wait = () => Promise.resolve();

  constructor(private time: number) {
    super();
  }

  /** Whether a handler waits for a timer; background timers do not count. */
  get isAwaited(): boolean {
    return [...this.timers].some(({ background }) => !background);
  }

  override now(): number {
    return this.time;
  }

  override after(
    ms: number,
    run: () => void,
    { background = false }: TimerOptions = {},
  ): () => void {
    const timer = { at: this.time + ms, run, background };
    this.timers.add(timer);
    this.scheduled++;
    return () => this.timers.delete(timer);
  }

  /** Sets the functions that wait until nothing happens, and until no work is left. */
  waitBy(paused: Wait, settled: Wait): void {
    this.paused = paused;
    this.settled = settled;
  }

  /**
   * Advances the time; fires due timers in order, and waits for the work that they cause, unless it
   * waits for the clock again.
   */
  async advance(ms: number): Promise<void> {
    const target = this.time + ms;
    await this.paused();
    for (let timer = this.next(target); timer !== undefined; timer = this.next(target)) {
      this.time = Math.max(this.time, timer.at);
      this.fire(timer);
      await this.paused();
    }
    this.time = target;
    await this.settled();
  }

  /** Fires all timers at once, when a server stops. */
  expire(): void {
    for (const timer of [...this.timers]) this.fire(timer);
  }

  private next(until: number): Timer | undefined {
    const due = [...this.timers].filter(({ at }) => at <= until);
    return due.sort((a, b) => a.at - b.at)[0];
  }

  private fire(timer: Timer): void {
    this.timers.delete(timer);
    timer.run();
  }
}
