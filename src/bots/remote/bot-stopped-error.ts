import type { ConnectionError } from '#client/index.js';

/** The server wants a bot no more: its token is refused, or another one took its place. */
export class BotStoppedError extends Error {
  override readonly name = 'BotStoppedError';
  /** Close code of the server (P-4.5), if it closed the connection. */
  readonly closeCode: number | undefined;

  constructor(
    /** Name of the bot. */
    readonly bot: string,
    cause: ConnectionError,
  ) {
    super(`The bot ${bot} does not come back: ${cause.message}`, { cause });
    this.closeCode = cause.closeCode;
  }
}
