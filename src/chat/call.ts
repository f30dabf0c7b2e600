import type { Outcome } from '../protocol/frames.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Caller } from '../users/actor.js';
import type { Connection } from './connection.js';
import { toWireError } from './failure.js';
import type { PresentUser, Session } from './session.js';

/** One command at work, from its arrival to its reply (P-3). */
export class Call implements Caller {
  /** Why the command is refused for its rate; a repeat of a message is answered all the same. */
  refusal: ProtocolError | undefined;
  givenHops: number | undefined;
  /** What the command came to, once it is known. */
  outcome: Outcome | undefined;
  private onPlaced: (() => void) | undefined;
  private isPlaced = false;
  private replied: (() => void)[] | undefined;

  constructor(
    readonly connection: Connection,
    readonly name: string,
    readonly data: unknown,
    private readonly reply: ((outcome: Outcome) => void) | undefined,
  ) {}

  /** Called when a write has its place in the order of writes: the next command may start. */
  readonly placed = (): void => {
    this.isPlaced = true;
    this.onPlaced?.();
  };

  /** The session that the command belongs to. */
  get session(): Session {
    if (this.connection.session === null) throw new ProtocolError('hello_required');
    return this.connection.session;
  }

  get actor(): PresentUser {
    return this.session.user;
  }

  /** Resolves when the next command of the connection may start (P-3.4). */
  untilPlaced(): Promise<void> | undefined {
    if (this.isPlaced) return undefined;
    return new Promise((resolve) => {
      this.onPlaced = resolve;
    });
  }

  /** Has something done right after the reply was sent, such as letting held events go. */
  afterReply(action: () => void): void {
    (this.replied ??= []).push(action);
  }

  /** Settles the command, once; what comes later is ignored. */
  settle(outcome: Outcome): void {
    this.outcome ??= outcome;
    this.placed();
  }

  /** Sends the reply, or the error event of a command without id (P-3.6). */
  send(outcome: Outcome): void {
    if (this.reply !== undefined) this.answer(this.reply, outcome);
    else if (!outcome.ok) this.connection.sendError(outcome.error, this.name);
    for (const action of this.replied ?? []) action();
  }

  /** What a handler gave may be nothing that JSON has a form for, which shows only here (P-4.4). */
  private answer(reply: (outcome: Outcome) => void, outcome: Outcome): void {
    try {
      this.connection.reply(() => reply(outcome));
    } catch (thrown) {
      const { connection, name: cmd } = this;
      const error = toWireError(thrown, { cmd, connection: connection.id });
      connection.attempt(() => reply({ ok: false, error }));
    }
  }
}
