/** Gathers what comes in one turn of the event loop, and passes it on in the next. */
export class NextTurn<Item> {
  private items: Item[] = [];
  private coming: Promise<void> | null = null;

  /** What it is passed on to must not throw: there is nobody to learn of it. */
  constructor(private readonly pass: (items: readonly Item[]) => void) {}

  add(item: Item): void {
    this.items.push(item);
    this.coming ??= new Promise((resolve) =>
      setImmediate(() => {
        const { items } = this;
        this.items = [];
        this.coming = null;
        this.pass(items);
        resolve();
      }),
    );
  }

  /** Passes on nothing of what has come so far. */
  drop(): void {
    this.items = [];
  }

  /** Whether something is to be passed on. */
  get isBusy(): boolean {
    return this.coming !== null;
  }

  /** Resolves when everything that has come so far is passed on. */
  async settled(): Promise<void> {
    await this.coming;
  }
}
