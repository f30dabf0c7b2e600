import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 30_000;
const PAUSE_MS = 2;

/** Polls until a condition is true; for conditions that no frame reports. */
export async function eventually(
  test: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await test())) {
    if (performance.now() > deadline) {
      throw new Error(`${what} was not true within ${String(LIMIT_MS)} ms`);
    }
    await delay(PAUSE_MS);
  }
}
