import type { ErrorCode, WireError } from '#src/protocol/errors.js';

/** A command that the server refused (P-4.1); `message` is for people. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Code from the closed list of P-4.2. */
  readonly code: ErrorCode;
  /** Whether the same command, unchanged, may succeed later. */
  readonly retryable: boolean;
  /** Milliseconds to wait before that, if the server told. */
  readonly retryAfterMs: number | undefined;
  /** Further facts; P-4.2 tells which. */
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
