import type { QueryRunner } from 'typeorm';

/** Reads the clock of PostgreSQL, in milliseconds since 1970; unlike `now()`, within a transaction. */
export const DATABASE_TIME = 'CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)';

/**
 * The clock of a database server, which all its clients share.
 *
 * Runs by the monotonic clock of the process since it was last set.
 */
export class DatabaseClock {
  private base = Date.now();
  private readAt = performance.now();

  /** Sets the clock to a time that the server has just sent. */
  set(time: number): void {
    this.base = time;
    this.readAt = performance.now();
  }

  /** Sets the clock over a connection. */
  async read(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query(`SELECT ${DATABASE_TIME} AS time`)) as { time: number }[];
    if (row !== undefined) this.set(row.time);
  }

  /** Returns the time of the server, in milliseconds since 1970. */
  now(): number {
    return Math.floor(this.base + performance.now() - this.readAt);
  }
}
