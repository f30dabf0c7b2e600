import { Logger } from '@nestjs/common';

import type { DialectCore } from '../chat/dialect-port.js';
import type { Connection } from '../chat/connection.js';
import { CloseCode } from '../protocol/close-codes.js';
import { ProtocolError, type WireError } from '../protocol/errors.js';
import type { Outcome } from '../protocol/frames.js';
import type { Ask, Dialect, Emit, ForeignEvent, Step, Surroundings } from './dialect.js';
import type { DialectLink } from './dialect-link.js';

const logger = new Logger('Dialects');
const GONE: Outcome = { ok: false, error: new ProtocolError('unavailable').toWire() };
const UNKNOWN: Outcome = { ok: false, error: new ProtocolError('unknown_command').toWire() };
const OK: Outcome = { ok: true, data: {} };
/** Foreign events that may wait; beyond it a connection that cannot be held back is closed. */
const WAITING_MAX = 256;
/** Bytes of them before reading stops, and at most. */
const BYTES_BEFORE_PAUSE = 1_000_000;
const BYTES_MAX = 8_000_000;
/** What an empty list or object takes. */
const VALUE_BYTES = 32;

/** What the commands of a dialect need beside the command itself. */
export interface Helpers {
  /** Completes the data of a command: hello gets a token, a message its file. */
  complete(ask: Ask, speaker: Interpreter): Promise<Ask['data']>;
  /** Notes what a command came to. */
  settled(ask: Ask, outcome: Outcome, speaker: Interpreter): Promise<void>;
}

/** One connection that speaks a dialect, and what is around it. */
export interface Scene {
  readonly link: DialectLink;
  readonly dialect: Dialect;
  readonly connection: Connection;
  readonly core: DialectCore;
  readonly around: Surroundings;
  /** Foreign events that may wait before reading stops. */
  readonly inFlight: number;
}

interface Work {
  /** About how much memory it takes. */
  readonly bytes: number;
  readonly steps: () => readonly Step<unknown>[];
  readonly done?: (outcome: Outcome) => void;
}

/** Translates what one connection sends, one foreign event after the other. */
export class Interpreter {
  private readonly waiting: Work[] = [];
  private waitingBytes = 0;
  private busy: Promise<void> | null = null;
  /** Commands without an answer; they have none any more when the connection is gone. */
  private readonly pending = new Set<(outcome: Outcome) => void>();
  private isPaused = false;

  readonly link: DialectLink;
  readonly dialect: Dialect;
  readonly connection: Connection;
  /** The guest who is about to come back over this connection. */
  returning: { readonly id: string; readonly rooms: readonly string[] } | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly helpers: Helpers,
  ) {
    ({ link: this.link, dialect: this.dialect, connection: this.connection } = scene);
  }

  /** Takes a foreign event in its turn. */
  take(event: ForeignEvent, done?: (outcome: Outcome) => void): void {
    const steps = () => this.dialect.fromClient(event, this.link, this.scene.around);
    const bytes = sizeOf(event.data);
    this.add(done === undefined ? { bytes, steps } : { bytes, steps, done });
  }

  /** Sends commands in their turn, and what their answers lead to. */
  ask(asks: readonly Ask[]): void {
    this.add({ bytes: 0, steps: () => asks });
  }

  /** Sends a command at once, out of turn, and says nothing about its answer. */
  async askQuietly(ask: Ask): Promise<void> {
    await this.send(ask, ask.data);
  }

  /** Resolves when everything that was taken has been done; undefined if it has. */
  drained(): Promise<void> | undefined {
    return this.busy ?? undefined;
  }

  /** Forgets what waits: the connection is gone. */
  stop(): void {
    this.waiting.length = 0;
    this.waitingBytes = 0;
    for (const settle of this.pending) settle(GONE);
  }

  private add(work: Work): void {
    if (!this.connection.isOpen) {
      work.done?.(OK);
      return;
    }
    this.waiting.push(work);
    this.waitingBytes += work.bytes;
    if (this.isFull()) this.holdBack();
    this.busy ??= this.work();
  }

  private isFull(): boolean {
    return this.waiting.length >= this.scene.inFlight || this.waitingBytes >= BYTES_BEFORE_PAUSE;
  }

  private holdBack(): void {
    if (this.link.pausable) {
      this.isPaused = true;
      this.link.holdReading(true);
    } else if (this.waiting.length > WAITING_MAX || this.waitingBytes > BYTES_MAX) {
      this.connection.bye(CloseCode.rateAbuse, 'too many events wait to be answered');
    }
  }

  private async work(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.link.hold();
      const outcome = await this.attempt(next);
      next.done?.(outcome);
      this.waitingBytes = Math.max(0, this.waitingBytes - next.bytes);
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

  /** Takes from the rate what sends no command, which would be taken from it anyway. */
  private charge(): void {
    const retryAfterMs = this.scene.core.charge(this.connection);
    if (retryAfterMs === 0) return;
    throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'commands' } });
  }

  /** Runs steps in turn; the first that is refused ends them. */
  private async run(steps: readonly Step<unknown>[]): Promise<Outcome> {
    let last = OK;
    for (const step of steps) {
      if (!this.connection.isOpen) return last;
      if ('emit' in step) {
        this.emit(step.later === undefined ? step : { ...step, data: await step.later() });
        continue;
      }
      if (step.isFor?.(this.link) === false) continue;
      const outcome = await this.send(step, await this.helpers.complete(step, this));
      await this.helpers.settled(step, outcome, this);
      if (!outcome.ok) return this.refuse(outcome.error);
      const next = this.dialect.fromReply({ to: step, outcome }, this.link, this.scene.around);
      last = next.length === 0 ? outcome : await this.run(next);
      if (!last.ok) return last;
    }
    return last;
  }

  private send(ask: Ask, data: Ask['data']): Promise<Outcome> {
    return new Promise((resolve) => {
      const reply = (outcome: Outcome): void => {
        this.pending.delete(reply);
        this.link.note(ask, outcome);
        resolve(outcome);
      };
      this.pending.add(reply);
      if (this.connection.isOpen) this.connection.command({ name: ask.ask, data, reply });
      else reply(GONE);
    });
  }

  /** Sends a foreign event to the connection alone, before events that wait. */
  emit(emit: Emit<unknown>): void {
    const prepared = this.link.prepareEach(emit);
    if (prepared !== null) this.connection.push(prepared);
  }

  private refuse(error: WireError): Outcome {
    try {
      this.emit(this.dialect.refuse(error));
    } catch (err) {
      logger.error({ msg: `Dialect ${this.dialect.name} failed at a refusal`, err });
    }
    return { ok: false, error };
  }
}

/** About what a value takes in memory, however deep: many small parts take more than a text. */
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
