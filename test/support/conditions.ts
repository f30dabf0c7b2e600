interface Waiter {
  readonly test: () => boolean;
  readonly resolve: () => void;
}

/** Waits for conditions; every wait has a time limit and names its condition. */
export class Conditions {
  private readonly waiters = new Set<Waiter>();

  /** Waits until the test returns true; each {@link wake} runs it again. */
  async until(test: () => boolean, what: string, limitMs: number): Promise<void> {
    if (test()) return;
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { test, resolve };
        this.waiters.add(waiter);
        timer = setTimeout(() => {
          reject(new Error(`Timed out after ${String(limitMs)} ms waiting for ${what}`));
        }, limitMs);
      });
    } finally {
      clearTimeout(timer);
      if (waiter !== undefined) this.waiters.delete(waiter);
    }
  }

  /** Checks all conditions again; call it after each change. */
  wake(): void {
    for (const waiter of this.waiters) if (waiter.test()) waiter.resolve();
  }
}
