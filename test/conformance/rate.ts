import assert from 'node:assert/strict';

import type { WireError } from '#src/protocol/errors.js';

import { eventually } from '../support/eventually.js';

/** Checks what is said of a rate; gives how long to wait. */
export function checkRate({ retryable, retryAfterMs, details }: WireError, bucket: string): number {
  assert.deepEqual([retryable, details], [true, { bucket }]);
  assert(retryAfterMs !== undefined && retryAfterMs > 0, 'it tells how long to wait');
  return retryAfterMs;
}

/** Waits as long as the server said. */
export async function waitOut(wait: number): Promise<void> {
  const began = performance.now();
  await eventually(() => performance.now() - began >= wait, 'the time that the server named');
}
