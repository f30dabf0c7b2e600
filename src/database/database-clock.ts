/** The clock of a database server, which all its clients share. */
export class DatabaseClock {
  private base = Date.now();
  private readAt = performance.now();

  /** Sets the clock to a time that the server has just sent. */
  set(time: number): void {
    this.base = time;
    this.readAt = performance.now();
  }

  /** Returns the time of the server, in milliseconds since 1970. */
  now(): number {
    return Math.floor(this.base + performance.now() - this.readAt);
  }
}
