import { hash } from 'node:crypto';

import type { SqlValue } from '../database/sql.js';

/** 96 bits: enough to notice a flipped bit. The hash guards against failing disks, not attackers. */
const LENGTH = 16;

/** Returns a short hash of the values of a row, in their order. */
export function rowHash(values: readonly SqlValue[]): string {
  return hash('sha256', JSON.stringify(values), 'base64url').slice(0, LENGTH);
}
