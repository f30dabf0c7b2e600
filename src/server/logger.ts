import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

/** Contexts of Nest's own startup messages, which are logged at level debug. */
const STARTUP_CONTEXTS = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

/** Contexts in which Nest logs a startup error that it also throws; the caller reports it. */
const RETHROWN_CONTEXTS = new Set(['ExceptionHandler', 'NestApplication']);

const MAX_CAUSES = 5;

/** Writes Nest's log as one JSON object per line, without message texts and tokens. */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string) {
    const serializers = { err: serializeError };
    this.pino = pino({ level, base: null, redact: ['*.token', '*.authorization'], serializers });
  }

  log = (message: unknown, ...rest: unknown[]): void => {
    const isStartup = STARTUP_CONTEXTS.has(String(rest.at(-1)));
    this.write(isStartup ? 'debug' : 'info', message, rest);
  };
  error = (message: unknown, ...rest: unknown[]): void => {
    if (!RETHROWN_CONTEXTS.has(String(rest.at(-1)))) this.write('error', message, rest);
  };
  warn = (message: unknown, ...rest: unknown[]): void => this.write('warn', message, rest);
  debug = (message: unknown, ...rest: unknown[]): void => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]): void => this.write('trace', message, rest);
  fatal = (message: unknown, ...rest: unknown[]): void => this.write('fatal', message, rest);

  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: readonly unknown[],
  ): void {
    // Nest passes the context last, preceded by the stack of an error.
    const context = rest.at(-1);
    const fields = typeof message === 'object' && message !== null ? message : {};
    const err = message instanceof Error ? { err: message } : fields;
    const stack = rest.length > 1 ? { stack: rest[0] } : {};
    this.pino[level](
      { context, ...err, ...stack },
      typeof message === 'string' ? message : undefined,
    );
  }
}

/** Returns only known fields of an error: database errors carry the values of the statement too. */
function serializeError(error: unknown, causes = MAX_CAUSES): unknown {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { name, message, stack, code, cause } = error as Error & { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || causes === 0 ? {} : { cause: serializeError(cause, causes - 1) }),
  };
}
