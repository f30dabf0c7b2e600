import type { CommandInput, ReplyData } from '#src/protocol/commands.js';
import { foldRoomName } from '#src/protocol/names.js';

import { CommandError } from './command-error.js';
import type { TimeLimit } from './time-limit.js';

/** A message to be sent; the client generates a `cid` if there is none. */
export type OutgoingMessage = CommandInput<'message.send'>;

/** A message with its `cid`. */
export type Identified = OutgoingMessage & { readonly cid: string };

/** The reply to a message that was sent (P-6.2). */
export type SentMessage = ReplyData<'message.send'>;

/**
 * Sends messages, one at a time in each room (P-6.3).
 *
 * So messages keep their order when one of them exceeds a rate or has to be sent again.
 */
export class Outbox {
  private readonly lastOfRoom = new Map<string, Promise<unknown>>();

  /** `deliver` sends a message and settles when it is answered. */
  constructor(
    private readonly deliver: (message: Identified, signal: AbortSignal) => Promise<SentMessage>,
  ) {}

  /**
   * Sends a message after the earlier ones of its room; resolves to the reply.
   *
   * Its time limit restarts when the message before it is answered: a long queue is no outage.
   */
  async send(message: Identified, limit: TimeLimit): Promise<SentMessage> {
    const room = foldRoomName(message.room) ?? message.room;
    const before = this.lastOfRoom.get(room);
    const deliver = () => this.deliver(message, limit.signal);
    const sent = before === undefined ? deliver() : this.after(before, limit, deliver);
    this.lastOfRoom.set(room, sent);
    try {
      return await sent;
    } finally {
      limit.stop();
      if (this.lastOfRoom.get(room) === sent) this.lastOfRoom.delete(room);
    }
  }

  /** Resolves when every message is answered or given up. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.lastOfRoom.values());
  }

  private async after(
    before: Promise<unknown>,
    limit: TimeLimit,
    deliver: () => Promise<SentMessage>,
  ): Promise<SentMessage> {
    limit.stop();
    const isAnswered = await before.then(
      () => true,
      (error: unknown) => error instanceof CommandError,
    );
    if (isAnswered) limit.restart();
    else limit.resume();
    limit.signal.throwIfAborted();
    return deliver();
  }
}
