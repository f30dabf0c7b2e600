import { Logger } from '@nestjs/common';

type Level = 'debug' | 'log' | 'warn' | 'error';

/** Writes log lines of a bot, each with the event that the handler was called for. */
export class BotLog {
  private readonly logger: Logger;

  /** `about` are fields of every line. */
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

  /** Pass an error in the field `err`. */
  error(msg: string, fields: object = {}): void {
    this.write('error', msg, fields);
  }

  private write(level: Level, msg: string, fields: object): void {
    this.logger[level]({ msg, ...this.about, ...fields });
  }
}
