/** What has arrived, worked off in its order; it can be held up for a moment. */
export class Inbox {
  private works: (() => void)[] = [];
  private isHeld = false;

  /** Adds what is to be done about something that arrived. */
  add(work: () => void): void {
    this.works.push(work);
    this.workOff();
  }

  /**
   * Holds up what comes next until code that awaits a promise resolved now has gone on.
   *
   * Several frames may arrive in one turn of the event loop, between which no `await` continues.
   */
  hold(): void {
    this.isHeld = true;
    setTimeout(() => {
      this.isHeld = false;
      this.workOff();
    }, 0);
  }

  /** Drops what was not worked off. */
  clear(): void {
    this.works = [];
  }

  private workOff(): void {
    while (!this.isHeld) {
      const work = this.works.shift();
      if (work === undefined) return;
      work();
    }
  }
}
