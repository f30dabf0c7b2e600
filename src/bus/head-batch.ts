import type { BusClock, Cancel } from './bus-clock.js';
import type { LogChange } from './frames.js';

/** Time for which heads are collected, in milliseconds. */
const GATHER_MS = 5;

/** Collects the heads of logs for a bus that carries no events: of each log, the last one. */
export class HeadBatch {
  private readonly heads = new Map<string, LogChange>();
  private cancel: Cancel | undefined;

  constructor(
    private readonly clock: BusClock,
    private readonly send: (heads: readonly LogChange[]) => void,
  ) {}

  /** Adds the heads of changes, which are sent within 5 ms. */
  add(changes: readonly LogChange[]): void {
    for (const { log, epoch, head } of changes) this.heads.set(log, { log, epoch, head });
    this.cancel ??= this.clock.after(GATHER_MS, () => this.flush());
  }

  /** Sends what was collected. */
  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    const heads = [...this.heads.values()];
    this.heads.clear();
    if (heads.length > 0) this.send(heads);
  }
}
