import type { Dialect } from './dialect.js';

const FUNCTIONS = ['declares', 'begin', 'fromClient', 'fromEvent', 'fromReply', 'refuse'] as const;

/** Reports an invalid dialect; the message says what to change. */
export class DialectSetupError extends Error {
  override readonly name = 'DialectSetupError';
}

/** Returns the dialect itself; infers the type of its state. */
export function defineDialect<S>(dialect: Dialect<S>): Dialect {
  return dialect as Dialect;
}

/** Returns whether an exported value looks like a dialect. */
export function isDialect(value: unknown): value is Dialect {
  return typeof value === 'object' && value !== null && 'fromClient' in value && 'name' in value;
}

/**
 * Checks the enabled dialects.
 *
 * @throws DialectSetupError if a dialect lacks a function or shares its name
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
        `Two dialects are called ${name}: rename one, or remove it from PARLANCE_DIALECTS.`,
      );
    }
    names.add(name);
  }
}
