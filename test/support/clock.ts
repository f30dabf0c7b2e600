/**
 * Lets the clock of this process run ahead, so that what takes minutes need not be waited for.
 *
 * Timers are not touched; a server in this process sees the later time when it next looks.
 */
export async function atLaterTime<T>(aheadMs: number, body: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + aheadMs;
  try {
    return await body();
  } finally {
    Date.now = now;
  }
}
