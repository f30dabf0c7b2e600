import type { ErrorCode, WireError } from '#src/protocol/errors.js';

import { ChatError } from './chat-error.js';

/** A command that the server refused (P-4.1); `message` is for people. */
export class CommandError extends ChatError {
  override readonly name = 'CommandError';
  /** Code from the closed list of P-4.2. */
  readonly code: ErrorCode;
  /** Whether the same command may succeed later. */
  readonly retryable: boolean;
  /** Milliseconds to wait before the next attempt, if the server named them. */
  readonly retryAfterMs: number | undefined;
  /** Details of the error, as listed in P-4.2. */
  readonly details: Readonly<Record<string, unknown>>;

  /** `cmd` is the name of the command that was refused. */
  constructor(
    readonly cmd: string,
    { code, message, retryable, retryAfterMs, details = {} }: WireError,
  ) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.details = details;
  }
}
