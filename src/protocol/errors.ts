/**
 * All error codes, each with its default message (P-4.2). The list is closed.
 *
 * `retryable`: whether the same command can succeed later without a change.
 */
export const ERRORS = {
  bad_frame: { retryable: false, message: 'The frame is not a command.' },
  unknown_command: { retryable: false, message: 'There is no such command.' },
  invalid: { retryable: false, message: 'The data of the command is invalid.' },
  too_deep: { retryable: false, message: 'The data of the command is nested too deeply.' },
  too_large: { retryable: false, message: 'The file is too large.' },
  too_slow: { retryable: true, message: 'The file arrives too slowly.' },
  image_unreadable: {
    retryable: false,
    message: 'The image is damaged, or its type is not supported.',
  },
  too_long: { retryable: false, message: 'The text is too long.' },
  hello_required: { retryable: false, message: 'Send hello first.' },
  hello_repeated: { retryable: false, message: 'This connection has already sent hello.' },
  unsupported_version: {
    retryable: false,
    message: 'The server does not support this protocol version.',
  },
  token_invalid: { retryable: false, message: 'The token was not issued by this server.' },
  token_expired: { retryable: false, message: 'The token has expired.' },
  too_many_connections: { retryable: true, message: 'Too many open connections.' },
  forbidden: { retryable: false, message: 'You may not do that.' },
  not_found: { retryable: false, message: 'There is no such object.' },
  not_member: { retryable: false, message: 'Join the room first.' },
  room_exists: { retryable: false, message: 'A room with this name already exists.' },
  name_reserved: {
    retryable: false,
    message: 'This name belongs to a bot, or looks like the name of one.',
  },
  message_deleted: { retryable: false, message: 'The message was deleted.' },
  idempotency_conflict: {
    retryable: false,
    message: 'This cid was used for a message with different content.',
  },
  limit_reached: { retryable: false, message: 'A limit of the server has been reached.' },
  blocked: { retryable: false, message: 'One of you has blocked the other.' },
  rate_limited: { retryable: true, message: 'Too many commands; try again later.' },
  unavailable: { retryable: true, message: 'The server cannot do this now; try again later.' },
  internal: { retryable: true, message: 'The server failed; the failure was logged.' },
} as const;

/** Code of an error (P-4.2). */
export type ErrorCode = keyof typeof ERRORS;

/** Optional fields of a {@link ProtocolError} (P-4.1). */
export interface ErrorExtras {
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error as sent in a reply or an `error` event (P-4.1). */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error for the client, which is never logged (P-4.1). */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ErrorCode,
    private readonly extras: ErrorExtras = {},
  ) {
    super(extras.message ?? ERRORS[code].message);
  }

  /** Returns the error in the form that is sent (P-4.1). */
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
