import type { CommandData } from '../protocol/commands.js';
import type { Message } from '../protocol/models.js';
import { toUser, type Actor } from '../store/actor.js';
import type { LogPosition } from '../store/room-log.js';
import type { StoredFile } from '../store/stored-file.js';

/** A checked message with its id and the hash of its content. */
export type Identified = Omit<CommandData<'message.send'>, 'text'> & {
  readonly id: string;
  readonly text: string;
  readonly hash: string | null;
};

/** A message to store. */
export type NewMessage = Identified & {
  /** Hops of its cause, if the message names none. */
  readonly assumedHops: number;
  /** The stored image of the message. */
  readonly file?: StoredFile | undefined;
};

/**
 * Returns a new message at a position of its room; `hops` are those of its cause.
 *
 * Sets fields one by one: spreading objects costs as much as a statement.
 */
export function newMessage(
  actor: Actor,
  input: NewMessage,
  { seq, at }: LogPosition,
  hops: number,
): Message {
  const { id, room, text, cid, replyTo, cause, kind } = input;
  const message: Message = { id, room, seq, sender: toUser(actor), text, at, reactions: [] };
  if (cid !== undefined) message.cid = cid;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (cause !== undefined) message.cause = cause;
  if (kind !== undefined) message.kind = kind;
  if (actor.kind === 'bot') message.hops = hops + 1;
  return message;
}
