import { ChatError } from './chat-error.js';

/**
 * The reason why there is no connection, or no reply.
 *
 * While the client keeps trying, in `status.error` and as the `cause` of a `timeout`:
 *
 * - `unreachable`: nothing answers at the address.
 * - `host_not_found`: the host name does not resolve.
 * - `tls_failed`: the certificate is not accepted, or the server does not speak TLS.
 * - `origin_refused`: the server does not accept connections from pages of this origin (P-10.5).
 * - `wrong_address`: something answers that is not a Parlance server.
 * - `no_upgrade`: the server answers over HTTP, but WebSocket connections do not reach it.
 * - `no_welcome`: the connection opened, but the server sent no welcome (P-2.4).
 *
 * Of a command, an upload or a download:
 *
 * - `timeout`: there was no reply within the time limit.
 * - `lost`: the connection ended before the reply, and the command is not safe to repeat.
 * - `user_changed`: the client reconnected as another user, for whom the `cid` identifies another
 *   message (P-6.3).
 * - `too_large`: a proxy in front of the server refuses files of this size.
 *
 * When the client has ended:
 *
 * - `token_refused`: the server does not accept the token, and there is no other (P-2.7).
 * - `stopped`: the server told the client not to reconnect (P-4.5), or the transport is missing.
 * - `closed`: `close()` was called.
 */
export type ConnectionErrorCode =
  | 'unreachable'
  | 'host_not_found'
  | 'tls_failed'
  | 'origin_refused'
  | 'wrong_address'
  | 'no_upgrade'
  | 'no_welcome'
  | 'timeout'
  | 'lost'
  | 'user_changed'
  | 'too_large'
  | 'token_refused'
  | 'stopped'
  | 'closed';

/** Optional properties of a {@link ConnectionError}. */
export interface ConnectionErrorExtras {
  readonly wasSent?: boolean;
  readonly closeCode?: number | undefined;
  readonly cid?: string | undefined;
  readonly cause?: unknown;
}

/** An error of the connection: none, no reply, or a client that has ended. */
export class ConnectionError extends ChatError {
  override readonly name = 'ConnectionError';
  /** Whether the command was sent; if so, the server may have executed it. */
  readonly wasSent: boolean;
  /** Close code of the server (P-4.5), if it stopped the client. */
  readonly closeCode: number | undefined;
  /** The `cid` of a message; send the message again with it, and it is stored once (P-6.3). */
  readonly cid: string | undefined;

  constructor(
    readonly code: ConnectionErrorCode,
    message: string,
    { wasSent = false, closeCode, cid, cause }: ConnectionErrorExtras = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.wasSent = wasSent;
    this.closeCode = closeCode;
    this.cid = cid;
  }
}
