interface Waiter {
  readonly test: () => boolean;
  readonly resolve: () => void;
}

/** Waits for conditions on something that changes; every wait has a limit and says what for. */
export class Conditions {
  private readonly waiters = new Set<Waiter>();

  /** Waits until the test holds; it is tried again at each {@link wake}. */
  async until(test: () => boolean, what: string, limitMs: number): Promise<void> {
    if (test()) return;
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { test, resolve };
        this.waiters.add(waiter);
        timer = setTimeout(() => {
          reject(new Error(`Waited ${String(limitMs)} ms in vain for ${what}`));
        }, limitMs);
      });
    } finally {
      clearTimeout(timer);
      if (waiter !== undefined) this.waiters.delete(waiter);
    }
  }

  /** To be called whenever something has changed. */
  wake(): void {
    for (const waiter of this.waiters) if (waiter.test()) waiter.resolve();
  }
}
