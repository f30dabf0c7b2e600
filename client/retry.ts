import type { CommandName } from '#src/protocol/commands.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';

/** Maximum number of retries of a command that failed temporarily. */
const MOST_RETRIES = 8;
/** A command that would wait longer fails, so that its caller can decide. */
const LONGEST_WAIT_MS = 30_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;

/**
 * Commands that may be sent again if it is unknown whether the server executed them: a second
 * execution does what the caller wants and nothing else.
 */
const REPEATABLE: ReadonlySet<string> = new Set<CommandName>([
  'session.ping',
  'auth.refresh',
  'room.list',
  'room.join',
  'room.get',
  'room.members',
  'room.sync',
  'dm.open',
  'dm.list',
  // The client never sends a message without a cid (P-6.3).
  'message.send',
  'message.delete',
  'message.get',
  'message.history',
  'message.status',
  'user.get',
  'user.blocks',
  'bot.ack',
  'bot.load',
  // Only the handler of an event writes the state of the bot, and one runs at a time.
  'bot.store',
  'bot.commands',
  'bot.status',
]);

/** A failed command, as far as it matters for a retry. */
export interface Attempted {
  readonly cmd: string;
  /** Whether the command is bound to one session; then it is retried while that session lasts. */
  readonly isBound: boolean;
  /** Number of retries so far. */
  readonly retries: number;
}

/** Returns whether the server may have executed a command although it failed (P-4.1). */
export function leavesDoubt(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.wasSent;
  return error instanceof CommandError && error.retryable && error.code !== 'rate_limited';
}

/** Returns the milliseconds after which to send a command again; null to let it fail. */
export function delayBeforeRetry(attempted: Attempted, error: unknown): number | null {
  if (leavesDoubt(error) && !REPEATABLE.has(attempted.cmd)) return null;
  if (error instanceof ConnectionError) return attempted.isBound ? null : 0;
  if (!(error instanceof CommandError) || !error.retryable) return null;
  return delayAfterRefusal(attempted, error);
}

function delayAfterRefusal({ isBound, retries }: Attempted, error: CommandError): number | null {
  const delayMs = Math.max(1, error.retryAfterMs ?? growingDelay(retries));
  if (isBound) return delayMs;
  return retries < MOST_RETRIES && delayMs <= LONGEST_WAIT_MS ? delayMs : null;
}

function growingDelay(retries: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** retries, LONGEST_DELAY_MS);
}
