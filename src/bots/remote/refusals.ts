import { CommandError } from '#client/index.js';

import type { ErrorCode } from '../../protocol/errors.js';

/** Tells whether the server refused a command with one of these codes. */
export function isRefusal(error: unknown, ...codes: readonly ErrorCode[]): error is CommandError {
  return error instanceof CommandError && codes.includes(error.code);
}

/** Gives what was asked for; null if it is refused with a code. */
export async function orNull<T>(asked: Promise<T>, ...codes: readonly ErrorCode[]) {
  try {
    return await asked;
  } catch (error) {
    if (isRefusal(error, ...codes)) return null;
    throw error;
  }
}
