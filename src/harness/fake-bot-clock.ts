import { BotClock } from '../bots/runtime/bot-clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

type Wait = () => Promise<void>;

/** A clock that stands still until a test advances it. */
export class FakeBotClock extends BotClock {
  /** How often something was planned, for those who watch whether anything goes on. */
  planned = 0;
  private readonly timers = new Set<Timer>();
  private paused: Wait = () => Promise.resolve();
  private settled: Wait = () => Promise.resolve();

  constructor(private time: number) {
    super();
  }

  /** How much waits for its time. */
  get pending(): number {
    return this.timers.size;
  }

  override now(): number {
    return this.time;
  }

  override after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.add(timer);
    this.planned++;
    return () => this.timers.delete(timer);
  }

  /** Sets how to wait until nothing goes on, and until nothing is left to do. */
  waitBy(paused: Wait, settled: Wait): void {
    this.paused = paused;
    this.settled = settled;
  }

  /**
   * Lets time pass; what becomes due is done in its order, and what comes of it is waited for,
   * unless that waits for the clock again.
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

  /** Ends every wait at once; for the end of a server. */
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
