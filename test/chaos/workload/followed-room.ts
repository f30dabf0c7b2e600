import type { ReceivedEvent } from '../../support/client.js';
import { isLeaveOf, seqOf } from '../event-print.js';

/** State from which a client resumes a room. */
export class FollowedRoom {
  /** Messages that can be changed: id and sender. */
  readonly messages = new Map<string, string>();

  constructor(
    public epoch: string,
    public seq: number,
  ) {}

  /** Applies an event; returns false if the user has left. */
  apply(event: ReceivedEvent, user: string): boolean {
    this.seq = Math.max(this.seq, seqOf(event) ?? 0);
    const { message } = event.data as { message?: { id: string; sender: { id: string } } };
    if (event.event === 'message.created' && message !== undefined) {
      this.messages.set(message.id, message.sender.id);
    }
    return !isLeaveOf(event, user);
  }
}
