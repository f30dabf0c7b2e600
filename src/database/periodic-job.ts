import { Logger } from '@nestjs/common';

/** Work that is repeated. */
export interface PeriodicWork {
  /** Name of the job in the log. */
  readonly name: string;
  /** Time between the end of a run and the next one. */
  readonly pauseMs: number;
  /** Does the work; long work ends early when the signal is aborted. */
  run(signal: AbortSignal): Promise<void> | void;
}

/** Runs work periodically; logs a failure and tries again at the next time. */
export class PeriodicJob {
  private readonly logger = new Logger(PeriodicJob.name);
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly work: PeriodicWork) {}

  /** Starts with a pause. */
  start(): void {
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => this.startNow(), this.work.pauseMs);
  }

  /** Starts with a run. */
  startNow(): void {
    this.running = this.runOnce().finally(() => this.start());
  }

  /** Starts no more runs; resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private async runOnce(): Promise<void> {
    try {
      await this.work.run(this.stopping.signal);
    } catch (error) {
      this.logger.warn({ msg: `The ${this.work.name} failed; trying again later`, err: error });
    }
  }
}
