import { Logger } from '@nestjs/common';

import type { Encoding, Prepared } from '../chat/connections/transport.js';
import type { EventName } from '../protocol/events.js';
import type {
  CommandStep,
  Dialect,
  EmitStep,
  DialectConnection,
  Step,
  DialectContext,
} from './dialect.js';

const logger = new Logger('Dialects');

/** One event of a dialect, prepared for all recipients or for each of them. */
export interface PreparedEmit {
  /** Null until {@link TranslatedEvent.ready} resolves, and afterwards if there is nothing to send. */
  prepared: Prepared | null;
  readonly emit: EmitStep<unknown>;
}

/** An event of the protocol, translated to a dialect. */
export interface TranslatedEvent extends Prepared {
  readonly event: string;
  readonly room: string | undefined;
  /** Position in the log of the room; 0 for an event that is not logged. */
  readonly seq: number;
  /** User that the event concerns, if any. */
  readonly userId: string | undefined;
  readonly parts: readonly PreparedEmit[];
  /** Commands that each recipient sends. */
  readonly commands: readonly CommandStep[];
  /** Resolves when all parts are prepared; null if they are. */
  ready: Promise<void> | null;
}

/** Translates events of the protocol once for all connections of a dialect on one transport. */
export class DialectEncoding implements Encoding {
  readonly name: string;

  constructor(
    private readonly inner: Encoding,
    private readonly dialect: Dialect,
    private readonly context: DialectContext,
  ) {
    this.name = `${inner.name}/${dialect.name}`;
  }

  prepare(event: string, data: unknown): TranslatedEvent {
    const parts: PreparedEmit[] = [];
    const commands: CommandStep[] = [];
    for (const step of this.translate(event, data)) {
      if ('ask' in step) commands.push(step);
      else parts.push({ prepared: this.prepareEmit(step), emit: step });
    }
    const { room, seq = 0, user } = data as { room?: string; seq?: number; user?: { id: string } };
    const bytes = parts.reduce((sum, { prepared }) => sum + (prepared?.bytes ?? 0), 0);
    const about = { event, room, seq, userId: user?.id };
    const prepared: TranslatedEvent = { ...about, parts, commands, bytes, ready: null };
    const late = parts.filter(({ emit }) => emit.later !== undefined);
    if (late.length > 0) {
      prepared.ready = Promise.all(late.map((part) => this.load(part))).then(() => {
        prepared.ready = null;
      });
    }
    return prepared;
  }

  join(list: readonly Prepared[]): Prepared {
    const joined: TranslatedBatch = {
      list: list as readonly TranslatedEvent[],
      bytes: list.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    return joined;
  }

  /** Prepares an event for one connection; null if there is nothing to send. */
  prepareFor(emit: EmitStep<unknown>, connection: DialectConnection<unknown>): Prepared | null {
    return this.attempt(emit.emit, null, () => {
      const data = emit.each === undefined ? emit.data : emit.each(connection);
      return data === undefined || data === null ? null : this.inner.prepare(emit.emit, data);
    });
  }

  /** Returns whether a connection receives an event of its room. */
  isFor({ emit, isFor }: EmitStep<unknown>, connection: DialectConnection<unknown>): boolean {
    return isFor === undefined || this.attempt(emit, false, () => isFor(connection));
  }

  private translate(event: string, data: unknown): readonly Step<unknown>[] {
    if (event === 'auth.expiring') return [{ ask: 'auth.refresh', data: {} }];
    return this.attempt(event, [], () => {
      if (event === 'error') return [this.dialect.refuse((data as { error: never }).error)].flat();
      return this.dialect.fromEvent({ event: event as EventName, data }, this.context);
    });
  }

  private prepareEmit(emit: EmitStep<unknown>): Prepared | null {
    if (emit.later !== undefined || emit.each !== undefined) return null;
    return this.attempt(emit.emit, null, () => this.inner.prepare(emit.emit, emit.data));
  }

  /** Runs a function of the dialect; if it throws, logs the error and returns the fallback. */
  private attempt<T>(event: string, fallback: T, make: () => T): T {
    try {
      return make();
    } catch (err) {
      logger.error({ msg: `Dialect ${this.dialect.name} failed to translate ${event}`, err });
      return fallback;
    }
  }

  private async load(part: PreparedEmit): Promise<void> {
    const { emit } = part;
    try {
      const data = await emit.later?.();
      if (data !== undefined && data !== null) part.prepared = this.inner.prepare(emit.emit, data);
    } catch (err) {
      logger.error({
        msg: `Dialect ${this.dialect.name} failed to load the data of ${emit.emit}`,
        err,
      });
    }
  }
}

/** Several translated events of one commit. */
export interface TranslatedBatch extends Prepared {
  readonly list: readonly TranslatedEvent[];
}
