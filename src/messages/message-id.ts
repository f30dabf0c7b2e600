import { hash } from 'node:crypto';

import { newId } from '../store/new-id.js';

const LENGTH = 24;

/**
 * Returns the id of a new message.
 *
 * With a cid it is a hash of the room, the sender and the cid, so that the primary key of the
 * messages is the permanent unique key of P-6.3; 24 characters of base64 are 144 bits.
 */
export function messageId(room: string, sender: string, cid: string | undefined): string {
  if (cid === undefined) return newId();
  return hash('sha256', JSON.stringify([room, sender, cid]), 'base64url').slice(0, LENGTH);
}
