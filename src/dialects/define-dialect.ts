import type { Dialect } from './dialect.js';

const FUNCTIONS = ['declares', 'begin', 'fromClient', 'fromEvent', 'fromReply', 'refuse'] as const;

/** A dialect cannot be spoken as it is; the message says what to change. */
export class DialectSetupError extends Error {
  override readonly name = 'DialectSetupError';
}

/** Gives a dialect its types, where it is written. */
export function defineDialect<S>(dialect: Dialect<S>): Dialect {
  return dialect as Dialect;
}

/** Tells whether a value is meant to be a dialect. */
export function isDialect(value: unknown): value is Dialect {
  return typeof value === 'object' && value !== null && 'fromClient' in value && 'name' in value;
}

/**
 * Checks the dialects that are to be spoken side by side.
 *
 * @throws DialectSetupError for one that lacks a function, or shares its name
 */
export function checkDialects(dialects: readonly Dialect[]): void {
  const names = new Set<string>();
  for (const dialect of dialects) {
    const { name } = dialect;
    const missing = FUNCTIONS.filter((key) => typeof dialect[key] !== 'function');
    if (missing.length > 0) {
      throw new DialectSetupError(`The dialect ${name} lacks ${missing.join(', ')}.`);
    }
    if (names.has(name)) {
      throw new DialectSetupError(
        `Two dialects are called ${name}: give one another name, or leave it out of PARLANCE_DIALECTS.`,
      );
    }
    names.add(name);
  }
}
