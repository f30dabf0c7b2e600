import { setTimeout as delay } from 'node:timers/promises';

import { isBusyFault } from './storage-error.js';

const PAUSE_MS = 10;

/**
 * Runs an attempt on SQLite, and repeats it within a time limit while another process holds a lock.
 *
 * SQLite itself would block the event loop while it waits.
 */
export async function whileBusy<T>(limitMs: number, attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusyFault(error) || performance.now() > until) throw error;
    }
    await delay(PAUSE_MS);
  }
}
