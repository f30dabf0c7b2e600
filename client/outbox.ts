import type { CommandInput, ReplyData } from '#src/protocol/commands.js';
import { foldRoomName } from '#src/protocol/names.js';

import { newCid } from './new-cid.js';

/** A message as it is given to the client; the `cid` is made if there is none. */
export type OutgoingMessage = CommandInput<'message.send'>;

/** The reply to a message that was sent (P-6.2). */
export type SentMessage = ReplyData<'message.send'>;

/**
 * What is to be said, one message at a time in each room (P-6.3).
 *
 * So messages keep their order when one of them is refused for its rate or has to be sent again.
 */
export class Outbox {
  private readonly lastOfRoom = new Map<string, Promise<unknown>>();

  /** `deliver` sends a message and settles when it is answered. */
  constructor(private readonly deliver: (message: OutgoingMessage) => Promise<SentMessage>) {}

  /** Sends a message after those of the same room; resolves to the reply. */
  async send(given: OutgoingMessage): Promise<SentMessage> {
    const message = { ...given, cid: given.cid ?? newCid() };
    const room = foldRoomName(message.room) ?? message.room;
    const before = this.lastOfRoom.get(room);
    const deliver = () => this.deliver(message);
    const sent = before === undefined ? deliver() : before.then(deliver, deliver);
    this.lastOfRoom.set(room, sent);
    try {
      return await sent;
    } finally {
      if (this.lastOfRoom.get(room) === sent) this.lastOfRoom.delete(room);
    }
  }

  /** Resolves when every message is answered or given up. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.lastOfRoom.values());
  }
}
