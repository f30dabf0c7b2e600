/**
 * The closed list of error codes, each with what it says when nothing better is known (P-4.2).
 *
 * `retryable` tells whether the same command may succeed later without being changed.
 */
export const ERRORS = {
  bad_frame: { retryable: false, message: 'The frame is not a command.' },
  unknown_command: { retryable: false, message: 'There is no such command.' },
  invalid: { retryable: false, message: 'The data of the command is not of its shape.' },
  too_deep: { retryable: false, message: 'The data of the command is nested too deeply.' },
  too_large: { retryable: false, message: 'The file is too large.' },
  image_unreadable: {
    retryable: false,
    message: 'The image is broken, or none of the types that are shown.',
  },
  too_long: { retryable: false, message: 'The text is too long.' },
  hello_required: { retryable: false, message: 'Say hello first.' },
  hello_repeated: { retryable: false, message: 'This connection has said hello already.' },
  unsupported_version: { retryable: false, message: 'This protocol version is not spoken here.' },
  token_invalid: { retryable: false, message: 'The token was not issued by this server.' },
  token_expired: { retryable: false, message: 'The token has expired.' },
  too_many_connections: { retryable: true, message: 'Too many open connections.' },
  forbidden: { retryable: false, message: 'You may not do that.' },
  not_found: { retryable: false, message: 'There is no such thing here.' },
  not_member: { retryable: false, message: 'Join the room first.' },
  room_exists: { retryable: false, message: 'There is a room of that name already.' },
  name_reserved: { retryable: false, message: 'This is the name of a bot, or looks like it.' },
  message_deleted: { retryable: false, message: 'The message was deleted.' },
  idempotency_conflict: {
    retryable: false,
    message: 'This cid was used for a message with other content.',
  },
  limit_reached: { retryable: false, message: 'A limit of the server is reached.' },
  blocked: { retryable: false, message: 'One of you has blocked the other.' },
  rate_limited: { retryable: true, message: 'Too many commands; try again later.' },
  unavailable: { retryable: true, message: 'The server cannot do this now; try again later.' },
  internal: { retryable: true, message: 'The server failed; the failure was logged.' },
} as const;

/** Code of an error (P-4.2). */
export type ErrorCode = keyof typeof ERRORS;

/** What a {@link ProtocolError} may say beyond its code (P-4.1). */
export interface ErrorExtras {
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error as it stands in a reply or an `error` event (P-4.1). */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A rule of the protocol that was broken; becomes a reply, never a log line (P-4.1). */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ErrorCode,
    private readonly extras: ErrorExtras = {},
  ) {
    super(extras.message ?? ERRORS[code].message);
  }

  /** Gives the error in the form that crosses the wire (P-4.1). */
  toWire(): WireError {
    const { retryAfterMs, details } = this.extras;
    return {
      code: this.code,
      message: this.message,
      retryable: ERRORS[this.code].retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(details === undefined ? {} : { details }),
    };
  }
}
