/** Something that waits until all that is committed so far survives a power cut. */
export interface Unsynced {
  synced(): void;
  refused(): void;
}

/** What a queue asks of its writer. */
export interface SyncOwner {
  /** Resolves when all that was committed before the call survives a power cut. */
  sync(): Promise<void>;
  /** Makes the database usable again after a sync failed. */
  syncFailed(error: unknown): Promise<void>;
}

/**
 * What is committed but may still be lost, in its order.
 *
 * While one sync is under way the next groups are committed already, and share the next sync.
 */
export class SyncQueue {
  private waiting: Unsynced[] = [];
  private working: Promise<void> | null = null;

  constructor(private readonly owner: SyncOwner) {}

  /** Whether anything waits. */
  get isBusy(): boolean {
    return this.working !== null;
  }

  /** Adds what was committed just now. */
  add(unsynced: Unsynced): void {
    this.waiting.push(unsynced);
    this.working ??= this.work();
  }

  /** Resolves when what is committed by now is synced and announced; undefined if it is so now. */
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
