import type { Message } from '#src/protocol/models.js';

import type { Random } from '../support/random.js';
import type { ReactionMark, RoomLedger, SentMessage } from './ledger.js';

const EMOJI = ['👍', '🎉', '❤️'];

/** A write that is retried until it is answered. */
export interface Operation {
  readonly cmd: string;
  readonly data: object;
  /** Records the success. */
  done(reply: { readonly message: Message }): void;
  /** The error code that is allowed, and how to record it. */
  readonly refusal?: { readonly code: string; noted(): void };
}

/** Generates the writes of a user. */
export class Operations {
  private count = 0;

  constructor(
    private readonly user: string,
    private readonly random: Random,
  ) {}

  /** Returns the next write in a room, usually a message. */
  next(ledger: RoomLedger): Operation {
    const kind = this.random.next();
    const own = ledger.changeable(this.user);
    if (kind < 0.12 && own.length > 0) return this.edit(ledger.room, this.random.pick(own));
    if (kind < 0.18 && own.length > 0) return this.delete(ledger.room, this.random.pick(own));
    const mark = kind < 0.4 ? this.pickMark(ledger) : null;
    return mark === null ? this.send(ledger) : this.react(ledger.room, mark);
  }

  private send(ledger: RoomLedger): Operation {
    const cid = `c${String(++this.count)}`;
    const text = `${cid} ${'x'.repeat(this.random.between(0, 300))}`;
    const sent = ledger.send(this.user, cid, text);
    return {
      cmd: 'message.send',
      data: { room: ledger.room, text, cid },
      done: ({ message: { id, seq } }) => {
        sent.acknowledged = { id, seq };
      },
    };
  }

  private edit(room: string, sent: SentMessage): Operation {
    sent.isBusy = true;
    const text = `edited ${String(++this.count)}`;
    return {
      cmd: 'message.edit',
      data: { room, message: sent.acknowledged?.id, text },
      done: () => {
        sent.isBusy = false;
        sent.edits.push(text);
      },
    };
  }

  private delete(room: string, sent: SentMessage): Operation {
    sent.isBusy = true;
    return {
      cmd: 'message.delete',
      data: { room, message: sent.acknowledged?.id },
      done: () => {
        sent.isBusy = false;
        sent.isDeleted = true;
      },
    };
  }

  private react(room: string, mark: ReactionMark): Operation {
    mark.isBusy = true;
    const isSet = !mark.isSet;
    return {
      cmd: isSet ? 'message.react' : 'message.unreact',
      data: { room, message: mark.message, emoji: mark.emoji },
      done: () => {
        mark.isBusy = false;
        mark.isSet = isSet;
        mark.changes++;
      },
      refusal: {
        // Another client deleted the message; a try before the crash may have been applied.
        code: 'message_deleted',
        noted: () => {
          mark.refusals++;
        },
      },
    };
  }

  private pickMark(ledger: RoomLedger): ReactionMark | null {
    const message = this.random.pick(ledger.messages);
    if (message?.acknowledged === undefined || message.acknowledged === null) return null;
    const emoji = this.random.pick(EMOJI);
    const mark = ledger.mark(message.acknowledged.id, emoji, this.user);
    return mark.isBusy || message.isDeleted ? null : mark;
  }
}
