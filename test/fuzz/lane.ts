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

/** A connection that sends any text, valid or not. */
export interface Wire {
  readonly isOpen: boolean;
  /** Sends a text unchanged. */
  send(text: string): void;
  /** Sends texts that the connection has buffered, if it buffers. */
  flush(): void;
  /** Encodes a command for this connection. */
  command(id: string, cmd: string, data: unknown): string;
  close(): void;
}

/** Receives what the server sends on a connection. */
export interface WireListener {
  reply(id: string, outcome: Outcome): void;
  /** Called with a text that no client could understand. */
  nonsense(text: string): void;
  closed(): void;
}

/** Opens connections over one transport, and creates attempts for them. */
export interface LaneKind {
  open(listener: WireListener): Promise<Wire>;
  attempt(known: Known, random: Random): Attempt;
  /** Returns a new command id, different each time. */
  id(): string;
}

/** Sends `count` frames; returns the faults of the server. */
export async function sendFrames(
  kind: LaneKind,
  rooms: readonly string[],
  random: Random,
  count: number,
): Promise<string[]> {
  const problems: string[] = [];
  for (let sent = 0, lost = 0; sent < count && problems.length === 0;) {
    const lane = new Lane(kind, problems);
    const known = await lane.enter(random.pick(rooms), random);
    lost = known === null ? lost + 1 : 0;
    if (lost === LOST_MAX) problems.push('no connection lives long enough to join a room');
    for (let batch = 0; batch < BATCHES && known !== null && lane.isOpen; batch++) {
      const attempts = Array.from({ length: BATCH }, () => kind.attempt(known, random));
      await lane.send(attempts, known.room);
      sent += attempts.length;
    }
    lane.close();
  }
  return problems;
}

class Lane implements WireListener {
  private readonly replies = new Map<string, Outcome[]>();
  private readonly conditions = new Conditions();
  private wire: Wire | undefined;
  /** The texts of the last batch, shortened for reports. */
  private sent: string[] = [];

  constructor(
    private readonly kind: LaneKind,
    private readonly problems: string[],
  ) {}

  get isOpen(): boolean {
    return this.wire?.isOpen ?? false;
  }

  /** Connects and returns the ids that exist; null if the connection was lost meanwhile. */
  async enter(room: string, random: Random): Promise<Known | null> {
    this.wire = await this.kind.open(this);
    const nothing = { room, epoch: 'e', message: 'm', user: 'u' };
    for (let i = 0; i < GREETINGS; i++) {
      const { data } = mutatedCommand(nothing, random);
      this.wire.send(this.wire.command(this.kind.id(), 'hello', data));
    }
    // One of the mutated hellos may already have succeeded.
    await this.call('hello', { protocol: 1, name: 'fuzz' });
    const cut = await this.call('room.join', { room, create: true });
    const sent = await this.call('message.send', { room, text: 'to be changed' });
    if (cut?.ok !== true || sent?.ok !== true) return null;
    const { epoch, you } = cut.data as ReplyData<'room.join'>;
    const { message } = sent.data as ReplyData<'message.send'>;
    return { room, epoch, message: message.id, user: you.user.id };
  }

  /** Sends a batch and waits until the server has processed it. */
  async send(attempts: readonly Attempt[], room: string): Promise<void> {
    this.sent = attempts.map(({ text }) => text.slice(0, SHOWN));
    for (const { text } of attempts) this.wire?.send(text);
    await this.call('session.ping', {});
    for (const attempt of attempts) this.check(attempt);
    // A frame may have made the user leave the room.
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

  private check({ text, reply }: Attempt): void {
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

  /** Sends a command; returns undefined if the connection ends before the reply. */
  private async call(cmd: string, data: object): Promise<Outcome | undefined> {
    const id = this.kind.id();
    this.wire?.send(this.wire.command(id, cmd, data));
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
