/** A waiter for the sync of all commits so far. */
export interface Unsynced {
  synced(): void;
  refused(): void;
}

/** The writer, as its queue sees it. */
export interface SyncOwner {
  /** Resolves when all earlier commits survive a power cut. */
  sync(): Promise<void>;
  /** Makes the database usable again after a sync failed. */
  syncFailed(error: unknown): Promise<void>;
}

/**
 * Commits that a power cut may still undo, in order.
 *
 * While a sync runs, further groups are committed; they share the next sync.
 */
export class SyncQueue {
  private waiting: Unsynced[] = [];
  private working: Promise<void> | null = null;

  constructor(private readonly owner: SyncOwner) {}

  /** Whether anything waits. */
  get isBusy(): boolean {
    return this.working !== null;
  }

  /** Adds a waiter for the latest commit. */
  add(unsynced: Unsynced): void {
    this.waiting.push(unsynced);
    this.working ??= this.work();
  }

  /** Resolves when all commits so far are synced and announced; undefined if they already are. */
  reached(refusal: () => Error): Promise<void> | undefined {
    if (this.working === null) return undefined;
    return new Promise((resolve, reject) => {
      this.add({ synced: resolve, refused: () => reject(refusal()) });
    });
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    while (this.working !== null) await this.working;
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.owner.sync();
      } catch (error) {
        for (const unsynced of batch) unsynced.refused();
        await this.owner.syncFailed(error);
        continue;
      }
      for (const unsynced of batch) unsynced.synced();
    }
    this.working = null;
  }
}
