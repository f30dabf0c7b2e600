/** A message that its sender meant to send, and what was acknowledged of it. */
export interface SentMessage {
  readonly sender: string;
  readonly cid: string;
  readonly text: string;
  /** Id and position, once the message was acknowledged. */
  acknowledged: { readonly id: string; readonly seq: number } | null;
  /** Texts of the acknowledged edits, in their order. */
  readonly edits: string[];
  isDeleted: boolean;
  /** Whether a change of it has no answer yet. */
  isBusy: boolean;
}

/** One emoji of one user on one message, and what was acknowledged of it. */
export interface ReactionMark {
  readonly message: string;
  readonly emoji: string;
  readonly user: string;
  isSet: boolean;
  /** Changes that were acknowledged. */
  changes: number;
  /** Changes that were refused when they were tried again: they may have happened before. */
  refusals: number;
  isBusy: boolean;
}

/** What was acknowledged in one room, by all clients together. */
export class RoomLedger {
  /** Messages, those of each sender in the order in which they were sent. */
  readonly messages: SentMessage[] = [];
  private readonly marks = new Map<string, ReactionMark>();

  constructor(readonly room: string) {}

  get reactions(): ReactionMark[] {
    return [...this.marks.values()];
  }

  /** Notes that a message is about to be sent. */
  send(sender: string, cid: string, text: string): SentMessage {
    const sent = { sender, cid, text };
    const message = { ...sent, acknowledged: null, edits: [], isDeleted: false, isBusy: false };
    this.messages.push(message);
    return message;
  }

  /** Lists the acknowledged messages that a sender may change now. */
  changeable(sender: string): SentMessage[] {
    return this.messages.filter(
      (message) =>
        message.sender === sender &&
        message.acknowledged !== null &&
        !message.isDeleted &&
        !message.isBusy,
    );
  }

  /** Gives what is known of a reaction. */
  mark(message: string, emoji: string, user: string): ReactionMark {
    const key = `${message} ${emoji} ${user}`;
    let mark = this.marks.get(key);
    if (mark === undefined) {
      const reaction = { message, emoji, user };
      mark = { ...reaction, isSet: false, changes: 0, refusals: 0, isBusy: false };
      this.marks.set(key, mark);
    }
    return mark;
  }
}
