import { Injectable } from '@nestjs/common';

/** Counts the work of bots in progress; tests wait until there is none. */
@Injectable()
export class IdleTracker {
  private running = 0;
  private waiting: (() => void)[] = [];

  /** Whether no work is in progress. */
  get isIdle(): boolean {
    return this.running === 0;
  }

  /** Counts work as in progress until it settles; returns its result. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work;
    } finally {
      this.end();
    }
  }

  /** Waits for something outside; the tracked work does not count as in progress until then. */
  async suspend<T>(wait: Promise<T>): Promise<T> {
    this.end();
    try {
      return await wait;
    } finally {
      this.begin();
    }
  }

  /** Resolves when no work is in progress. */
  async whenIdle(): Promise<void> {
    while (!this.isIdle) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  protected begin(): void {
    this.running++;
  }

  private end(): void {
    this.running--;
    if (!this.isIdle) return;
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
