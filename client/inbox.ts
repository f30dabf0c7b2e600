/** A queue of incoming work that runs in order and can be paused for a moment. */
export class Inbox {
  private tasks: (() => void)[] = [];
  private isHeld = false;

  /** Adds a task, and runs it unless the queue is paused. */
  add(task: () => void): void {
    this.tasks.push(task);
    this.run();
  }

  /**
   * Pauses until code that awaits a promise resolved now has continued.
   *
   * Several frames may arrive in one turn of the event loop, between which no `await` continues.
   */
  hold(): void {
    this.isHeld = true;
    setTimeout(() => {
      this.isHeld = false;
      this.run();
    }, 0);
  }

  /** Drops all waiting tasks. */
  clear(): void {
    this.tasks = [];
  }

  private run(): void {
    while (!this.isHeld) {
      const task = this.tasks.shift();
      if (task === undefined) return;
      task();
    }
  }
}
