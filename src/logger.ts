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

/** Nest's log lines as JSON, one a line; never a message text or a token. */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string) {
    this.pino = pino({ level, base: null, redact: ['*.token', '*.authorization'] });
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
