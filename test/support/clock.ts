import { DatabaseClock } from '#src/database/database-clock.js';

/**
 * Runs a function while the clocks of this process and of its database are ahead, so that tests need not wait.
 *
 * Timers are not affected; a server in this process sees the later time when it reads the clock.
 */
export async function withClockAhead<T>(aheadMs: number, body: () => Promise<T>): Promise<T> {
  const clock = DatabaseClock.prototype;
  const { now } = clock;
  clock.now = function (this: DatabaseClock) {
    return now.call(this) + aheadMs;
  };
  try {
    return await withProcessClockAhead(aheadMs, body);
  } finally {
    clock.now = now;
  }
}

/** Runs a function while the clock of this process alone is ahead. */
export async function withProcessClockAhead<T>(
  aheadMs: number,
  body: () => Promise<T>,
): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + aheadMs;
  try {
    return await body();
  } finally {
    Date.now = now;
  }
}
