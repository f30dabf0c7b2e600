/** A point at which code waits until a test releases it. */
export class Gate {
  private open: () => void = () => undefined;
  private reach: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  /** Resolves when code first waits at the gate. */
  readonly reached = new Promise<void>((resolve) => (this.reach = resolve));

  /** Waits until the gate is opened. */
  async pass(): Promise<void> {
    this.reach();
    await this.opened;
  }

  /** Opens the gate for good. */
  release(): void {
    this.open();
  }
}
