import type { CommandName } from '#src/protocol/commands.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';

/** How often a command is tried again that the server refused for now. */
const MOST_RETRIES = 8;
/** A command that has to wait for longer is given up, so that its caller may decide. */
const LONGEST_WAIT_MS = 30_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;

/**
 * Commands that may be sent once more if it is not known whether they were carried out: whatever
 * happened in between, they do what their caller wants and nothing else.
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
  // The client never sends one without a cid (P-6.3).
  'message.send',
  'message.delete',
  'message.get',
  'message.history',
  'message.status',
  'user.get',
  'user.blocks',
  'bot.ack',
  'bot.load',
  // Whoever deals with an event writes what is kept; nobody else does meanwhile.
  'bot.store',
  'bot.commands',
  'bot.status',
]);

/** A command that was not done, as far as that bears on trying it again. */
export interface Attempted {
  readonly cmd: string;
  /** Whether only one session will do; then it is tried as long as that lasts. */
  readonly isBound: boolean;
  /** How often it was tried again already after a refusal. */
  readonly retries: number;
}

/** Tells whether a command may have been carried out although it failed (P-4.1). */
export function leavesDoubt(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.wasSent;
  return error instanceof CommandError && error.retryable && error.code !== 'rate_limited';
}

/** Gives the milliseconds after which to send a command again; null to let it fail. */
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
