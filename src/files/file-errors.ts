import { ProtocolError } from '../protocol/errors.js';
import type { LimitName } from '../protocol/limits.js';

/** Makes the error for a file past a limit (P-9.14). */
export function tooLarge(limit: LimitName, value: number): ProtocolError {
  return new ProtocolError('too_large', { details: { limit, value } });
}

/** Makes the error for a file that a user cannot have, whatever the reason (P-14.5, P-14.7). */
export function noSuchFile(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such file.' });
}

/** Gives what is told of a failure to store: that the disk is full can be told to clients. */
export function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const message = 'The server has no room for files; try again later.';
  return new ProtocolError('unavailable', { message, details: { storage: 'full' } });
}
