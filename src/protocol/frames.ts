import { z } from 'zod';

import type { WireError } from './errors.js';

/** Id of a command: a string of 1 to 64 bytes, or an integer (P-3.2). */
export const CommandId = z.union([
  z
    .string()
    .min(1)
    .max(64)
    .refine((id) => new TextEncoder().encode(id).length <= 64, 'An id must have at most 64 bytes.'),
  z.int(),
]);
export type CommandId = z.infer<typeof CommandId>;

/** A command, from client to server (P-3.1). */
export interface CommandFrame {
  readonly id?: CommandId;
  readonly cmd: string;
  readonly data?: unknown;
}

/** The outcome of a command: its reply without the id (P-3.2). */
export type Outcome =
  { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: WireError };

/** The only reply to a command with an id, from server to client (P-3.2). */
export type ReplyFrame = { readonly re: CommandId } & Outcome;

/** An event, from server to client (P-3.1). */
export interface EventFrame {
  readonly event: string;
  readonly data: unknown;
}

/** Any frame of the protocol (P-3.1). */
export type Frame = CommandFrame | ReplyFrame | EventFrame;
