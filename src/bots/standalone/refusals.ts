import { CommandError } from '#client/index.js';

import type { ErrorCode } from '../../protocol/errors.js';

/** Returns whether the server refused a command with one of these codes. */
export function isRefusal(error: unknown, ...codes: readonly ErrorCode[]): error is CommandError {
  return error instanceof CommandError && codes.includes(error.code);
}

/** Returns the result of a command; null if the server refused it with one of these codes. */
export async function orNull<T>(asked: Promise<T>, ...codes: readonly ErrorCode[]) {
  try {
    return await asked;
  } catch (error) {
    if (isRefusal(error, ...codes)) return null;
    throw error;
  }
}
