/**
 * Runs a function while the clock of this process is ahead, so that tests need not wait.
 *
 * Timers are not affected; a server in this process sees the later time when it reads the clock.
 */
export async function withClockAhead<T>(aheadMs: number, body: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + aheadMs;
  try {
    return await body();
  } finally {
    Date.now = now;
  }
}
