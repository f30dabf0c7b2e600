import { Logger } from '@nestjs/common';

type Level = 'debug' | 'log' | 'warn' | 'error';

/** Lines of a bot in the log of its process, each with what the handler was called for. */
export class BotLog {
  private readonly logger: Logger;

  /** `about` is added to the fields of each line. */
  constructor(
    bot: string,
    private readonly about: Readonly<Record<string, unknown>>,
  ) {
    this.logger = new Logger(`Bot ${bot}`);
  }

  debug(msg: string, fields: object = {}): void {
    this.write('debug', msg, fields);
  }

  info(msg: string, fields: object = {}): void {
    this.write('log', msg, fields);
  }

  warn(msg: string, fields: object = {}): void {
    this.write('warn', msg, fields);
  }

  /** An error goes into the field `err`. */
  error(msg: string, fields: object = {}): void {
    this.write('error', msg, fields);
  }

  private write(level: Level, msg: string, fields: object): void {
    this.logger[level]({ msg, ...this.about, ...fields });
  }
}
