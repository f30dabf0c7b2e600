import { Injectable } from '@nestjs/common';

/** Maximum time for large replies in one turn of the event loop. */
const TURN_MS = 4;

/**
 * Spreads large replies over the turns of the event loop.
 *
 * A group of writes answers all its callers at once, and a cached page is read without a turn.
 * Without this, a hundred replies of 256 KiB would be encoded and sent before the next command.
 */
@Injectable()
export class LoopTurns {
  private readonly waiting: (() => void)[] = [];
  private isBusy = false;
  private spentMs = 0;
  private turn: NodeJS.Immediate | undefined;

  /** Resolves when this turn has time for one more reply; measures the time of that reply. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (!this.isBusy) this.admit();
    });
  }

  private admit(): void {
    if (this.waiting.length === 0) return;
    this.turn ??= setImmediate(() => this.begin());
    if (this.spentMs >= TURN_MS) return;
    const began = performance.now();
    this.isBusy = true;
    this.waiting.shift()?.();
    // Ticks run after the promise jobs that follow from the reply.
    queueMicrotask(() => process.nextTick(() => this.finish(performance.now() - began)));
  }

  private finish(tookMs: number): void {
    this.isBusy = false;
    this.spentMs += tookMs;
    this.admit();
  }

  private begin(): void {
    this.turn = undefined;
    this.spentMs = 0;
    if (!this.isBusy) this.admit();
  }
}
