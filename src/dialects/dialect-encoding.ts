import { Logger } from '@nestjs/common';

import type { Encoding, Prepared } from '../chat/transport.js';
import type { EventName } from '../protocol/events.js';
import type { Ask, Dialect, Emit, Listener, Step, Surroundings } from './dialect.js';

const logger = new Logger('Dialects');

/** One foreign event, prepared for all who get it, or for each. */
export interface Part {
  /** Null until {@link PreparedForeign.ready}, for good if there is nothing to send. */
  prepared: Prepared | null;
  readonly emit: Emit<unknown>;
}

/** An event of ours in the words of a dialect. */
export interface PreparedForeign extends Prepared {
  readonly event: string;
  /** Where it stands in the log of its room, if it does. */
  readonly room: string | undefined;
  readonly seq: number;
  /** Whom it is about, if it names a user itself. */
  readonly userId: string | undefined;
  readonly parts: readonly Part[];
  /** Commands that each connection sends when it gets this. */
  readonly asks: readonly Ask[];
  /** Resolves when everything is prepared; null if it is. */
  ready: Promise<void> | null;
}

/** Translates events of ours, once for all connections of a dialect on one transport. */
export class DialectEncoding implements Encoding {
  readonly name: string;

  constructor(
    private readonly inner: Encoding,
    private readonly dialect: Dialect,
    private readonly around: Surroundings,
  ) {
    this.name = `${inner.name}/${dialect.name}`;
  }

  prepare(event: string, data: unknown): PreparedForeign {
    const parts: Part[] = [];
    const asks: Ask[] = [];
    for (const step of this.translate(event, data)) {
      if ('ask' in step) asks.push(step);
      else parts.push({ prepared: this.prepareEmit(step), emit: step });
    }
    const { room, seq = 0, user } = data as { room?: string; seq?: number; user?: { id: string } };
    const bytes = parts.reduce((sum, { prepared }) => sum + (prepared?.bytes ?? 0), 0);
    const about = { event, room, seq, userId: user?.id };
    const prepared: PreparedForeign = { ...about, parts, asks, bytes, ready: null };
    const late = parts.filter(({ emit }) => emit.later !== undefined);
    if (late.length > 0) {
      prepared.ready = Promise.all(late.map((part) => this.load(part))).then(() => {
        prepared.ready = null;
      });
    }
    return prepared;
  }

  join(list: readonly Prepared[]): Prepared {
    const joined: JoinedForeign = {
      list: list as readonly PreparedForeign[],
      bytes: list.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    return joined;
  }

  /** Prepares what one connection alone gets; null if that is nothing. */
  prepareFor(emit: Emit<unknown>, listener: Listener<unknown>): Prepared | null {
    return this.attempt(emit.emit, null, () => {
      const data = emit.each === undefined ? emit.data : emit.each(listener);
      return data === undefined || data === null ? null : this.inner.prepare(emit.emit, data);
    });
  }

  /** Tells whether a connection gets a foreign event that all others of the room may get. */
  isFor({ emit, isFor }: Emit<unknown>, listener: Listener<unknown>): boolean {
    return isFor === undefined || this.attempt(emit, false, () => isFor(listener));
  }

  private translate(event: string, data: unknown): readonly Step<unknown>[] {
    if (event === 'auth.expiring') return [{ ask: 'auth.refresh', data: {} }];
    return this.attempt(event, [], () => {
      if (event === 'error') return [this.dialect.refuse((data as { error: never }).error)];
      return this.dialect.fromEvent({ event: event as EventName, data }, this.around);
    });
  }

  private prepareEmit(emit: Emit<unknown>): Prepared | null {
    if (emit.later !== undefined || emit.each !== undefined) return null;
    return this.attempt(emit.emit, null, () => this.inner.prepare(emit.emit, emit.data));
  }

  /** A dialect that fails at an event leaves that out, and ends no connection. */
  private attempt<T>(event: string, otherwise: T, make: () => T): T {
    try {
      return make();
    } catch (err) {
      logger.error({ msg: `Dialect ${this.dialect.name} failed at ${event}`, err });
      return otherwise;
    }
  }

  private async load(part: Part): Promise<void> {
    const { emit } = part;
    try {
      const data = await emit.later?.();
      if (data !== undefined && data !== null) part.prepared = this.inner.prepare(emit.emit, data);
    } catch (err) {
      logger.error({ msg: 'What an event is made of could not be read', err });
    }
  }
}

/** Several events that were committed together. */
export interface JoinedForeign extends Prepared {
  readonly list: readonly PreparedForeign[];
}
