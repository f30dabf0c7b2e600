/** A message that a client sends, and which of its writes were acknowledged. */
export interface SentMessage {
  readonly sender: string;
  readonly cid: string;
  readonly text: string;
  /** Id and position; null until the message is acknowledged. */
  acknowledged: { readonly id: string; readonly seq: number } | null;
  /** Texts of the acknowledged edits, in order. */
  readonly edits: string[];
  isDeleted: boolean;
  /** Whether an edit or deletion is still unanswered. */
  isBusy: boolean;
}

/** One emoji of one user on one message, and which of its changes were acknowledged. */
export interface ReactionMark {
  readonly message: string;
  readonly emoji: string;
  readonly user: string;
  isSet: boolean;
  /** Number of acknowledged changes. */
  changes: number;
  /** Number of changes whose retry was refused: the first try may have been applied. */
  refusals: number;
  isBusy: boolean;
}

/** The acknowledged writes of all clients in one room. */
export class RoomLedger {
  /** Messages; those of one sender are in the order sent. */
  readonly messages: SentMessage[] = [];
  private readonly marks = new Map<string, ReactionMark>();

  constructor(readonly room: string) {}

  get reactions(): ReactionMark[] {
    return [...this.marks.values()];
  }

  /** Records a message before it is sent. */
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

  /** Returns the record of a reaction, and creates it if it is new. */
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
