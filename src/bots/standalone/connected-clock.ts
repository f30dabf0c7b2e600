import { BotClock, type TimerOptions } from '../kit/bot-clock.js';

interface Timer {
  readonly arm: () => void;
  cancel: () => void;
}

/**
 * A clock whose timers do not fire while the bot is disconnected.
 *
 * A handler that waits for the server has not failed: after a reconnect, it gets its full time
 * again.
 */
export class ConnectedClock extends BotClock {
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

  override after(ms: number, run: () => void, options?: TimerOptions): () => void {
    const timer: Timer = {
      cancel: () => undefined,
      arm: () => {
        timer.cancel();
        timer.cancel = this.clock.after(ms, due, options);
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

  /** Restarts all timers after a reconnect. */
  connected(): void {
    for (const timer of this.timers) timer.arm();
  }
}
