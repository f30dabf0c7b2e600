import { BotClock } from '../runtime/bot-clock.js';

interface Timer {
  readonly arm: () => void;
  cancel: () => void;
}

/**
 * A clock by which nothing is due without a connection.
 *
 * A handler that waits for the server then has not failed: when there is a connection again, all
 * of its time is given to it anew.
 */
export class PatientClock extends BotClock {
  private readonly timers = new Set<Timer>();

  constructor(
    private readonly clock: BotClock,
    private readonly isConnected: () => boolean,
  ) {
    super();
  }

  override now(): number {
    return this.clock.now();
  }

  override after(ms: number, run: () => void): () => void {
    const timer: Timer = {
      cancel: () => undefined,
      arm: () => {
        timer.cancel();
        timer.cancel = this.clock.after(ms, due);
      },
    };
    const due = () => {
      if (!this.isConnected()) return;
      this.timers.delete(timer);
      run();
    };
    this.timers.add(timer);
    timer.arm();
    return () => {
      timer.cancel();
      this.timers.delete(timer);
    };
  }

  /** Counts what has to be done within a time. */
  countTimers(): number {
    return this.timers.size;
  }

  /** Notes that there is a connection again. */
  connected(): void {
    for (const timer of this.timers) timer.arm();
  }
}
