import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

// What Nest says of its own start is of use to its developers only.
const CHATTER = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
  'WebSocketsController',
]);

const MOST_CAUSES = 5;

/** Nest's log lines as JSON, one a line; never a message text or a token. */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string) {
    const serializers = { err: describe };
    this.pino = pino({ level, base: null, redact: ['*.token', '*.authorization'], serializers });
  }

  log = (message: unknown, ...rest: unknown[]): void => {
    const chatter = CHATTER.has(String(rest.at(-1)));
    this.write(chatter ? 'debug' : 'info', message, rest);
  };
  error = (message: unknown, ...rest: unknown[]): void => this.write('error', message, rest);
  warn = (message: unknown, ...rest: unknown[]): void => this.write('warn', message, rest);
  debug = (message: unknown, ...rest: unknown[]): void => this.write('debug', message, rest);
  verbose = (message: unknown, ...rest: unknown[]): void => this.write('trace', message, rest);
  fatal = (message: unknown, ...rest: unknown[]): void => this.write('fatal', message, rest);

  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: readonly unknown[],
  ): void {
    // Nest gives the context last, and a stack before it.
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

/** Tells of an error what it is, not what it carries: errors of databases have the values with them. */
function describe(error: unknown, causes = MOST_CAUSES): unknown {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { name, message, stack, code, cause } = error as Error & { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || causes === 0 ? {} : { cause: describe(cause, causes - 1) }),
  };
}
