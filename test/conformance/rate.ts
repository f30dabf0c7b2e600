import assert from 'node:assert/strict';

import type { WireError } from '#src/protocol/errors.js';

import { eventually } from '../support/eventually.js';

/** Checks the error of an exceeded rate; returns how many ms to wait. */
export function checkRate({ retryable, retryAfterMs, details }: WireError, bucket: string): number {
  assert.deepEqual({ retryable, details }, { retryable: true, details: { bucket } });
  assert(retryAfterMs !== undefined && retryAfterMs > 0, 'the error says how long to wait');
  return retryAfterMs;
}

/** Waits for the number of ms that the server requested. */
export async function waitOut(wait: number): Promise<void> {
  const began = performance.now();
  await eventually(() => performance.now() - began >= wait, 'the requested time');
}
