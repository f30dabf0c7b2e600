/**
 * Why the client could not get an answer to a command.
 *
 * - `lost`: the connection ended before the reply, and the command is not one to be repeated.
 * - `user_changed`: the client came back as another user, under whom a `cid` stands for another
 *   message (P-6.3).
 * - `stopped`: the server does not want the client back, or there are no credentials (P-4.5).
 * - `closed`: `close()` was called.
 */
export type ConnectionErrorCode = 'lost' | 'user_changed' | 'stopped' | 'closed';

/** What a {@link ConnectionError} may say beyond its code. */
export interface ConnectionErrorExtras {
  readonly wasSent?: boolean;
  readonly closeCode?: number | undefined;
  readonly cause?: unknown;
}

/** A command without an answer, or a client that has stopped. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Whether the command was sent: if so, it is not known whether it was carried out. */
  readonly wasSent: boolean;
  /** Close code of the server (P-4.5), if it was that which stopped the client. */
  readonly closeCode: number | undefined;

  constructor(
    readonly code: ConnectionErrorCode,
    message: string,
    { wasSent = false, closeCode, cause }: ConnectionErrorExtras = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.wasSent = wasSent;
    this.closeCode = closeCode;
  }
}
