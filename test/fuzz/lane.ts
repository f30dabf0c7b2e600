import type { ReplyData } from '#src/protocol/commands.js';
import type { Outcome } from '#src/protocol/frames.js';

import { Conditions } from '../support/conditions.js';
import type { Random } from '../support/random.js';
import type { Attempt } from './attempts.js';
import { mutatedCommand, type Known } from './examples.js';

const ANSWER_MS = 15_000;
const BATCH = 40;
const BATCHES = 8;
const GREETINGS = 3;
const SHOWN = 400;
const LOST_MAX = 20;

/** A connection that anything can be thrown at. */
export interface Wire {
  readonly isOpen: boolean;
  /** Sends a text as it is. */
  throw(text: string): void;
  /** Sends what was thrown, where that is not done at once. */
  flush(): void;
  /** Puts a command into the form of this connection. */
  command(id: string, cmd: string, data: unknown): string;
  close(): void;
}

/** What a connection tells. */
export interface WireListener {
  reply(id: string, outcome: Outcome): void;
  /** Something came that no client could understand. */
  nonsense(text: string): void;
  closed(): void;
}

/** Opens connections of one kind, and makes what is thrown at them. */
export interface LaneKind {
  open(listener: WireListener): Promise<Wire>;
  attempt(known: Known, random: Random): Attempt;
  /** Makes an id for a command, different each time. */
  id(): string;
}

/** Throws a number of frames; gives what the server did wrong, if anything. */
export async function throwFrames(
  kind: LaneKind,
  rooms: readonly string[],
  random: Random,
  count: number,
): Promise<string[]> {
  const problems: string[] = [];
  for (let thrown = 0, lost = 0; thrown < count && problems.length === 0;) {
    const lane = new Lane(kind, problems);
    const known = await lane.enter(random.pick(rooms), random);
    lost = known === null ? lost + 1 : 0;
    if (lost === LOST_MAX) problems.push('no connection lives long enough to join a room');
    for (let batch = 0; batch < BATCHES && known !== null && lane.isOpen; batch++) {
      const attempts = Array.from({ length: BATCH }, () => kind.attempt(known, random));
      await lane.throw(attempts, known.room);
      thrown += attempts.length;
    }
    lane.close();
  }
  return problems;
}

class Lane implements WireListener {
  private readonly replies = new Map<string, Outcome[]>();
  private readonly conditions = new Conditions();
  private wire: Wire | undefined;
  /** What was thrown last, as far as it is shown. */
  private sent: string[] = [];

  constructor(
    private readonly kind: LaneKind,
    private readonly problems: string[],
  ) {}

  get isOpen(): boolean {
    return this.wire?.isOpen ?? false;
  }

  /** Connects and finds out what there is; null if the connection was lost with that. */
  async enter(room: string, random: Random): Promise<Known | null> {
    this.wire = await this.kind.open(this);
    const nothing = { room, epoch: 'e', message: 'm', user: 'u' };
    for (let i = 0; i < GREETINGS; i++) {
      const { data } = mutatedCommand(nothing, random);
      this.wire.throw(this.wire.command(this.kind.id(), 'hello', data));
    }
    // One of those may have been good enough already.
    await this.call('hello', { protocol: 1, name: 'fuzz' });
    const cut = await this.call('room.join', { room, create: true });
    const sent = await this.call('message.send', { room, text: 'to be changed' });
    if (cut?.ok !== true || sent?.ok !== true) return null;
    const { epoch, you } = cut.data as ReplyData<'room.join'>;
    const { message } = sent.data as ReplyData<'message.send'>;
    return { room, epoch, message: message.id, user: you.user.id };
  }

  /** Throws some and waits until the server is through with them. */
  async throw(attempts: readonly Attempt[], room: string): Promise<void> {
    this.sent = attempts.map(({ text }) => text.slice(0, SHOWN));
    for (const { text } of attempts) this.wire?.throw(text);
    await this.call('session.ping', {});
    for (const attempt of attempts) this.judge(attempt);
    // The frames may have made the user leave.
    if (this.isOpen) await this.call('room.join', { room, create: true });
  }

  close(): void {
    this.wire?.close();
  }

  reply(id: string, outcome: Outcome): void {
    const earlier = this.replies.get(id);
    if (earlier === undefined) this.replies.set(id, [outcome]);
    else earlier.push(outcome);
    this.conditions.wake();
  }

  nonsense(text: string): void {
    this.problems.push(`the server sent ${text.slice(0, SHOWN)}`);
  }

  closed(): void {
    this.conditions.wake();
  }

  private judge({ text, reply }: Attempt): void {
    if (reply === undefined) return;
    const outcomes = this.replies.get(reply) ?? [];
    const [first] = outcomes;
    const shown = `${text.slice(0, SHOWN)} -> ${JSON.stringify(outcomes).slice(0, SHOWN)}`;
    if (outcomes.length > 1 || (outcomes.length === 0 && this.isOpen)) {
      this.problems.push(`${String(outcomes.length)} replies: ${shown}`);
    }
    if (first?.ok === false && first.error.code === 'internal') {
      this.problems.push(`internal: ${shown}`);
    }
  }

  /** Sends a command; undefined if the connection ends before its reply. */
  private async call(cmd: string, data: object): Promise<Outcome | undefined> {
    const id = this.kind.id();
    this.wire?.throw(this.wire.command(id, cmd, data));
    this.wire?.flush();
    const isOver = () => this.replies.has(id) || !this.isOpen;
    try {
      await this.conditions.until(isOver, `the answer to ${cmd}`, ANSWER_MS);
    } catch (error) {
      this.problems.push(`${String(error)}\nafter:\n${this.sent.join('\n')}`);
    }
    return this.replies.get(id)?.[0];
  }
}
