/**
 * Lets the clock of this process run ahead, so that what takes minutes need not be waited for.
 *
 * Timers are not touched; a server in this process sees the later time when it next looks.
 */
export async function atLaterTime(aheadMs: number, body: () => Promise<void>): Promise<void> {
  const now = Date.now;
  Date.now = () => now() + aheadMs;
  try {
    await body();
  } finally {
    Date.now = now;
  }
}
