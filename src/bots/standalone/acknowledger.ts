/** Acknowledges the events of a room, one acknowledgement at a time (P-13.9). */
export class Acknowledger {
  private next: number | null = null;
  private working: Promise<void> | null = null;

  /** `send` resolves when the position is stored or no longer matters; it never rejects. */
  constructor(private readonly send: (seq: number) => Promise<void>) {}

  /** Whether an acknowledgement is in progress. */
  get isBusy(): boolean {
    return this.working !== null;
  }

  /** Acknowledges everything up to a position; only the latest waiting position is sent. */
  acknowledge(seq: number): void {
    this.next = seq;
    this.working ??= this.work();
  }

  /** Resolves when everything is acknowledged. */
  async settled(): Promise<void> {
    while (this.working !== null) await this.working;
  }

  private async work(): Promise<void> {
    while (this.next !== null) {
      const seq = this.next;
      this.next = null;
      await this.send(seq);
    }
    this.working = null;
  }
}
