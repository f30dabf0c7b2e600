import { Logger } from '@nestjs/common';

import type { Intake } from '../chat/ports/dialect-port.js';
import type { Connection } from '../chat/connections/connection.js';
import { TokenBucket } from '../limits/token-bucket.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { ReplyData } from '../protocol/commands.js';
import { ProtocolError, type WireError } from '../protocol/errors.js';
import type { Outcome } from '../protocol/frames.js';
import type { HistoryPage } from '../protocol/pages.js';
import type {
  ClientEvent,
  CommandStep,
  Dialect,
  DialectContext,
  EmitStep,
  Step,
} from './dialect.js';
import type { DialectLink } from './dialect-link.js';

const logger = new Logger('Dialects');
const CLOSED: Outcome = { ok: false, error: new ProtocolError('unavailable').toWire() };
const UNKNOWN: Outcome = { ok: false, error: new ProtocolError('unknown_command').toWire() };
const OK: Outcome = { ok: true, data: {} };
/** Maximum number of queued events of a client that cannot be paused; one more closes it. */
const MAX_QUEUED = 256;
/** Queued bytes at which reading pauses. */
const PAUSE_BYTES = 1_000_000;
/** Maximum queued bytes of a client that cannot be paused. */
const MAX_QUEUED_BYTES = 8_000_000;
/** Bytes per connection that are read without a user: one history at first, little after it. */
const READ_RATE = { perSecond: 100_000, burst: 2_000_000 };
/** Estimated bytes of an empty list or object. */
const VALUE_BYTES = 32;

/** Reads the reply to a command. */
export type PublicRead = () => Promise<HistoryPage | ReplyData<'room.members'>>;

/** Hooks around the commands of a dialect session. */
export interface CommandHooks {
  /** Returns the complete data of a command: a token for `hello`, a file id for a message. */
  completeData(step: CommandStep, session: DialectSession): Promise<CommandStep['data']>;
  /** Returns the read that answers a command on public data; null for any other command. */
  findPublicRead(step: CommandStep, session: DialectSession): PublicRead | null;
  /** Called with the outcome of each command. */
  onOutcome(step: CommandStep, outcome: Outcome, session: DialectSession): Promise<void>;
}

/** Parts of a {@link DialectSession}. */
export interface DialectSessionDeps {
  readonly link: DialectLink;
  readonly dialect: Dialect;
  readonly intake: Intake;
  readonly context: DialectContext;
  /** Number of queued client events at which reading pauses. */
  readonly inFlight: number;
}

interface Work {
  /** Estimated size in memory. */
  readonly bytes: number;
  readonly steps: () => readonly Step<unknown>[];
  readonly done?: (outcome: Outcome) => void;
}

/** Translates the events of one client, one after the other. */
export class DialectSession {
  private readonly queue: Work[] = [];
  private queuedBytes = 0;
  private busy: Promise<void> | null = null;
  /** Resolvers of commands without a reply; closing the connection settles them. */
  private readonly pending = new Set<(outcome: Outcome) => void>();
  private isPaused = false;

  readonly link: DialectLink;
  readonly dialect: Dialect;
  readonly connection: Connection;
  /** Budget of bytes that may be read without a user. */
  readonly reads = new TokenBucket(READ_RATE);
  /** The guest who is returning on this connection. */
  returning: { readonly id: string; readonly rooms: readonly string[] } | null = null;

  constructor(
    private readonly deps: DialectSessionDeps,
    private readonly hooks: CommandHooks,
  ) {
    ({ link: this.link, dialect: this.dialect } = deps);
    this.connection = deps.intake.connection;
  }

  /** Queues an event of the client. */
  enqueueEvent(event: ClientEvent, done?: (outcome: Outcome) => void): void {
    const steps = () => this.dialect.fromClient(event, this.link, this.deps.context);
    const bytes = sizeOf(event.data);
    this.add(done === undefined ? { bytes, steps } : { bytes, steps, done });
  }

  /** Queues commands, and the steps that their replies lead to. */
  enqueueCommands(steps: readonly CommandStep[]): void {
    this.add({ bytes: 0, steps: () => steps });
  }

  /** Sends a command immediately, without translating its reply. */
  async sendSilently(step: CommandStep): Promise<void> {
    await this.send(step, step.data);
  }

  /** Resolves when the queue is empty; undefined if it is empty now. */
  drained(): Promise<void> | undefined {
    return this.busy ?? undefined;
  }

  /** Clears the queue after the connection was closed. */
  stop(): void {
    this.queue.length = 0;
    this.queuedBytes = 0;
    for (const settle of this.pending) settle(CLOSED);
  }

  private add(work: Work): void {
    if (!this.connection.isOpen) {
      work.done?.(OK);
      return;
    }
    this.queue.push(work);
    this.queuedBytes += work.bytes;
    if (this.isFull()) this.limitQueue();
    this.busy ??= this.work();
  }

  private isFull(): boolean {
    return this.queue.length >= this.deps.inFlight || this.queuedBytes >= PAUSE_BYTES;
  }

  private limitQueue(): void {
    if (this.link.pausable) {
      this.isPaused = true;
      this.link.holdReading(true);
    } else if (this.queue.length > MAX_QUEUED || this.queuedBytes > MAX_QUEUED_BYTES) {
      this.connection.bye(CloseCode.rateAbuse, 'too many events wait to be answered');
    }
  }

  private async work(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.link.hold();
      const outcome = await this.attempt(next);
      next.done?.(outcome);
      this.queuedBytes = Math.max(0, this.queuedBytes - next.bytes);
      this.link.release();
      if (this.isPaused && !this.isFull()) {
        this.isPaused = false;
        this.link.holdReading(false);
      }
    }
    this.busy = null;
  }

  private async attempt({ steps }: Work): Promise<Outcome> {
    try {
      const first = steps();
      if (!first.some((step) => 'ask' in step)) this.charge();
      if (first.length === 0) return UNKNOWN;
      return await this.run(first);
    } catch (thrown) {
      const error = thrown instanceof ProtocolError ? thrown : new ProtocolError('internal');
      if (thrown !== error) {
        logger.error({ msg: `Dialect ${this.dialect.name} failed`, err: thrown });
      }
      return this.refuse(error.toWire());
    }
  }

  /** Charges an event that sends no command; commands are charged by the intake. */
  private charge(): void {
    const retryAfterMs = this.deps.intake.charge();
    if (retryAfterMs === 0) return;
    throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'commands' } });
  }

  /** Runs steps in order until a command is refused. */
  private async run(steps: readonly Step<unknown>[]): Promise<Outcome> {
    let last = OK;
    for (const step of steps) {
      if (!this.connection.isOpen) return last;
      if ('emit' in step) {
        this.emit(step.later === undefined ? step : { ...step, data: await step.later() });
        continue;
      }
      if (step.isFor?.(this.link) === false) continue;
      const outcome = await this.execute(step);
      await this.hooks.onOutcome(step, outcome, this);
      if (!outcome.ok) return this.refuse(outcome.error, step);
      const next = this.dialect.fromReply({ to: step, outcome }, this.link, this.deps.context);
      last = next.length === 0 ? outcome : await this.run(next);
      if (!last.ok) return last;
    }
    return last;
  }

  private async execute(step: CommandStep): Promise<Outcome> {
    const data = await this.hooks.completeData(step, this);
    const outcome = (await this.readPublic(step)) ?? (await this.send(step, data));
    if (step.ask === 'message.history' && outcome.ok && step.data['before'] === undefined) {
      const { room, seq } = outcome.data as HistoryPage;
      this.link.skipUpTo(room, seq);
    }
    return outcome;
  }

  private async readPublic(step: CommandStep): Promise<Outcome | null> {
    const read = this.hooks.findPublicRead(step, this);
    if (read === null) return null;
    this.charge();
    return { ok: true, data: await read() };
  }

  private send(step: CommandStep, data: CommandStep['data']): Promise<Outcome> {
    return new Promise((resolve) => {
      const reply = (outcome: Outcome): void => {
        this.pending.delete(reply);
        this.link.applyOutcome(step, outcome);
        resolve(outcome);
      };
      this.pending.add(reply);
      if (this.connection.isOpen) this.deps.intake.command({ name: step.ask, data, reply });
      else reply(CLOSED);
    });
  }

  /** Sends an event to this client only, ahead of held events. */
  emit(emit: EmitStep<unknown>): void {
    const prepared = this.link.prepareEach(emit);
    if (prepared !== null) this.connection.push(prepared);
  }

  private refuse(error: WireError, to?: CommandStep): Outcome {
    try {
      for (const emit of [this.dialect.refuse(error, to)].flat()) this.emit(emit);
    } catch (err) {
      logger.error({ msg: `Dialect ${this.dialect.name} failed to report an error`, err });
    }
    return { ok: false, error };
  }
}

/** Estimates the memory of a value of any depth; many small parts take more than one text. */
function sizeOf(data: unknown): number {
  let bytes = 0;
  const values = [data];
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    bytes += typeof value === 'string' ? value.length : VALUE_BYTES;
    if (typeof value !== 'object' || value === null) continue;
    for (const part of Object.values(value)) values.push(part);
  }
  return bytes;
}
