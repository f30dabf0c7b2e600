import type { RateSubject } from '../../limits/hourly-rates.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Outcome } from '../../protocol/frames.js';
import type { Caller } from '../../store/actor.js';
import type { Connection } from './connection.js';
import { toWireError } from './failure.js';
import type { PresentUser, Session } from './session.js';
import type { IncomingCommand } from './transport.js';

/** One command from its arrival to its reply (P-3). */
export class Call implements Caller {
  readonly name: string;
  readonly data: unknown;
  assumedHops: number | undefined;
  private readonly reply: IncomingCommand['reply'];
  private settled: Outcome | undefined;
  private isQueued = false;
  private queuedListener: (() => void) | undefined;
  private afterReplyActions: (() => void)[] | undefined;

  /** `refusal` is set if the command exceeds the rate of its connection. */
  constructor(
    readonly connection: Connection,
    { name, data, reply }: IncomingCommand,
    readonly refusal?: ProtocolError,
  ) {
    this.name = name;
    this.data = data;
    this.reply = reply;
  }

  /** Notes that a write is in the queue of the writer: the next command may start. */
  readonly onQueued = (): void => {
    this.isQueued = true;
    this.queuedListener?.();
  };

  /**
   * The session that the command belongs to.
   *
   * @throws ProtocolError `hello_required`
   */
  get session(): Session {
    const { session } = this.connection;
    if (session === null) throw new ProtocolError('hello_required');
    return session;
  }

  get actor(): PresentUser {
    return this.session.user;
  }

  /** The user and the address that the command is charged to. */
  get rateSubject(): RateSubject {
    return { userId: this.actor.id, budget: this.connection.budget };
  }

  /** The outcome, once the command has one. */
  get outcome(): Outcome | undefined {
    return this.settled;
  }

  /** Resolves when the next command may start (P-3.4); undefined if it may now. */
  untilQueued(): Promise<void> | undefined {
    if (this.isQueued) return undefined;
    return new Promise((resolve) => {
      this.queuedListener = resolve;
    });
  }

  /** Registers an action that runs right after the reply, such as the release of held events. */
  afterReply(action: () => void): void {
    (this.afterReplyActions ??= []).push(action);
  }

  /** Sets the outcome; later calls are ignored. */
  settle(outcome: Outcome): void {
    this.settled ??= outcome;
    this.onQueued();
  }

  /** Sends the reply, or the error event of a command without id (P-3.6). */
  send(outcome: Outcome): void {
    if (this.reply !== undefined) this.sendReply(this.reply, outcome);
    else if (!outcome.ok) this.connection.sendError(outcome.error, this.name);
    for (const action of this.afterReplyActions ?? []) action();
  }

  /** Sends `internal` instead if JSON cannot express what the handler returned (P-4.4). */
  private sendReply(reply: (outcome: Outcome) => void, outcome: Outcome): void {
    try {
      this.connection.reply(() => reply(outcome));
    } catch (thrown) {
      const { connection, name: cmd } = this;
      const error = toWireError(thrown, { cmd, connection: connection.id });
      connection.attempt(() => reply({ ok: false, error }));
    }
  }
}
