import type { ConnectionError } from '#client/index.js';

/** Thrown when a bot has stopped for good: its token was refused, or another program replaced it. */
export class BotStoppedError extends Error {
  override readonly name = 'BotStoppedError';
  /** Close code of the server (P-4.5), if it closed the connection. */
  readonly closeCode: number | undefined;

  constructor(
    /** Name of the bot. */
    readonly bot: string,
    cause: ConnectionError,
  ) {
    super(`The bot ${bot} has stopped: ${cause.message}`, { cause });
    this.closeCode = cause.closeCode;
  }
}
