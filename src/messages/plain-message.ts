import type { LockedLogs } from '../database/locked-logs.js';
import type { Lookup, ShortForm, WriteTransaction } from '../database/write-job.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import type { Actor } from '../store/actor.js';
import {
  acceptsMessages,
  insertMessageLater,
  type MessageQuestion,
} from '../store/message-rows.js';
import type { RoomLog } from '../store/room-log.js';
import { newMessage, type NewMessage } from './new-message.js';

type Sent = ReplyData<'message.send'>;

/** Asks of messages whether their rooms accept them as new. */
const LOOKUP: Lookup<MessageQuestion, boolean> = { ask: acceptsMessages };

/** Returns whether a message refers to nothing, so that its room alone decides about it. */
export function isPlain(data: CommandData<'message.send'>): boolean {
  const { files, image, replyTo, cause } = data;
  return (files ?? image ?? replyTo ?? cause) === undefined;
}

/**
 * A plain message for PostgreSQL, where the messages of a group share their statements.
 *
 * All that is not plainly new, such as a repeat, is left to the job itself.
 */
export class PlainMessage implements ShortForm<Sent, MessageQuestion, boolean> {
  readonly lookup = LOOKUP;
  readonly question: MessageQuestion;
  readonly log: string;
  readonly key: string;

  constructor(
    private readonly logs: RoomLog,
    private readonly actor: Actor,
    private readonly input: NewMessage,
  ) {
    const { id, room } = input;
    this.question = { id, room, sender: actor.id };
    this.log = room;
    this.key = id;
  }

  run(tx: WriteTransaction, locked: LockedLogs, isAccepted: boolean): Sent | undefined {
    const position = isAccepted ? locked.take(this.log) : null;
    if (position === null) return undefined;
    const message = newMessage(this.actor, this.input, position, this.input.assumedHops);
    insertMessageLater(locked, message, this.input.hash);
    this.logs.appendLater(tx, locked, position, message);
    return { message, duplicate: false };
  }
}
