/**
 * Lets so many works run at a time, one of each owner; the others wait.
 *
 * Owners take turns: who brings much waits for it, and nobody else does.
 */
export class Slots {
  /** What waits, by owner; whoever has waited longest for a turn in front. */
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly busy = new Set<string>();

  constructor(private free: number) {}

  /** Does work as soon as there is a slot for it, and it is the turn of its owner. */
  async run<T>(owner: string, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.waiting.set(owner, [...(this.waiting.get(owner) ?? []), resolve]);
      this.begin();
    });
    try {
      return await work();
    } finally {
      this.busy.delete(owner);
      this.free++;
      this.begin();
    }
  }

  /** Gives the free slots to those whose turn it is. */
  private begin(): void {
    for (const [owner, [first, ...more]] of this.waiting) {
      if (this.free === 0) return;
      if (first === undefined || this.busy.has(owner)) continue;
      this.waiting.delete(owner);
      if (more.length > 0) this.waiting.set(owner, more);
      this.busy.add(owner);
      this.free--;
      first();
    }
  }
}
