import { z } from 'zod';

import type { WireError } from './errors.js';

/** Id of a command: a string of 1 to 64 bytes, or an integer (P-3.2). */
export const CommandId = z.union([
  z
    .string()
    .min(1)
    .max(64)
    .refine((id) => new TextEncoder().encode(id).length <= 64, 'An id has at most 64 bytes.'),
  z.int(),
]);
export type CommandId = z.infer<typeof CommandId>;

/** Client to server: do something (P-3.1). */
export interface CommandFrame {
  readonly id?: CommandId;
  readonly cmd: string;
  readonly data?: unknown;
}

/** What a command came to, without the id it answers (P-3.2). */
export type Outcome =
  { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: WireError };

/** Server to client: the one answer to a command that had an id (P-3.2). */
export type ReplyFrame = { readonly re: CommandId } & Outcome;

/** Server to client: something happened (P-3.1). */
export interface EventFrame {
  readonly event: string;
  readonly data: unknown;
}

/** Any frame of the protocol (P-3.1). */
export type Frame = CommandFrame | ReplyFrame | EventFrame;
