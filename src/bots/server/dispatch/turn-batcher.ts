import type { IdleTracker } from '../../kit/idle-tracker.js';

/** Collects the items of one turn of the event loop, and passes them on in the next turn. */
export class TurnBatcher<Item> {
  private items: Item[] = [];
  private isScheduled = false;

  /** `pass` must not throw: no caller could handle the error. */
  constructor(
    private readonly pass: (items: readonly Item[]) => void,
    private readonly idle: IdleTracker,
  ) {}

  add(item: Item): void {
    this.items.push(item);
    if (this.isScheduled) return;
    this.isScheduled = true;
    void this.idle.track(
      new Promise<void>((resolve) =>
        setImmediate(() => {
          const { items } = this;
          this.items = [];
          this.isScheduled = false;
          this.pass(items);
          resolve();
        }),
      ),
    );
  }

  /** Discards the collected items. */
  clear(): void {
    this.items = [];
  }
}
