import { ProtocolError } from '../protocol/errors.js';
import type { LimitName } from '../protocol/limits.js';

/** Returns the error for a file that exceeds a limit (P-9.14). */
export function tooLarge(limit: LimitName, value: number): ProtocolError {
  return new ProtocolError('too_large', { details: { limit, value } });
}

/** Returns the error for an empty file (P-14.1). */
export function emptyFile(): ProtocolError {
  return new ProtocolError('invalid', { message: 'The file is empty.' });
}

/** Returns the error for a file that a user may not have, for any reason (P-14.5, P-14.7). */
export function noSuchFile(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such file.' });
}

/** Returns the error that clients see for a failed write: only a full disk is named. */
export function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const message = 'The disk of the server is full; try again later.';
  return new ProtocolError('unavailable', { message, details: { storage: 'full' } });
}
