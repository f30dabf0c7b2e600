import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 15_000;
const PAUSE_MS = 2;

/** Asks again until something has come about; to be used where no frame tells it. */
export async function eventually(
  test: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await test())) {
    if (performance.now() > deadline) {
      throw new Error(`${what} did not come about within ${String(LIMIT_MS)} ms`);
    }
    await delay(PAUSE_MS);
  }
}
