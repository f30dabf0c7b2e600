import { StartError } from '../config/start-error.js';

/**
 * Exits with code 1.
 *
 * Prints one line for an error that the operator can fix, and the stack of any other error.
 */
export function exitOnError(error: unknown): void {
  process.stderr.write(`${describe(error)}\n`);
  process.exit(1);
}

function describe(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
