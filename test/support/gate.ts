/** Something that a test lets go on when it wants. */
export class Gate {
  private open: () => void = () => undefined;
  private come: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  /** Resolves when somebody waits at the gate. */
  readonly reached = new Promise<void>((resolve) => (this.come = resolve));

  /** Waits until the gate is opened. */
  async pass(): Promise<void> {
    this.come();
    await this.opened;
  }

  /** Lets everybody pass from now on. */
  release(): void {
    this.open();
  }
}
