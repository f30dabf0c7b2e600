import { Inject, Injectable, Logger } from '@nestjs/common';

import type { Connection } from '../chat/connection.js';
import type { Encoding, Prepared } from '../chat/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import type { LogEvent } from '../protocol/events.js';
import type { Dialect, Surroundings } from './dialect.js';
import type { DialectLink } from './dialect-link.js';

/** Connections that say nothing and hear the public room, in the words of several programs (P-10.7). */
@Injectable()
export class Observers implements CommitListener {
  private readonly logger = new Logger('Dialects');
  private readonly connections = new Map<DialectLink, Connection>();
  private dialects: readonly Dialect[] = [];
  private around: Surroundings | null = null;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) writer: Writer,
  ) {
    writer.listen(this);
  }

  /** Says which programs may only listen. */
  use(dialects: readonly Dialect[], around: Surroundings): void {
    this.dialects = dialects.filter(({ observer }) => observer !== undefined);
    this.around = around;
  }

  /** Lets a connection hear; false if there are too many, or no program to hear in. */
  add(link: DialectLink, connection: Connection): boolean {
    if (this.dialects.length === 0) return false;
    if (this.connections.size >= this.config.limits.observers) return false;
    this.connections.set(link, connection);
    connection.isObserver = true;
    // Who has declared themselves was greeted then, or knows no greeting.
    if (link.dialect !== null) return true;
    for (const { observer } of this.dialects) {
      const { greeting } = observer ?? {};
      if (greeting !== undefined) connection.push(link.wire.prepare(greeting.emit, greeting.data));
    }
    return true;
  }

  /** Tells whether a connection is one of them. */
  has(link: DialectLink): boolean {
    return this.connections.has(link);
  }

  /** Lets a connection hear no more in this way. */
  remove(link: DialectLink): void {
    const connection = this.connections.get(link);
    if (connection === undefined) return;
    connection.isObserver = false;
    this.connections.delete(link);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.connections.size === 0 || this.around === null) return;
    const { publicRoom } = this.around;
    for (const { log, event } of events) {
      if (log === publicRoom && event.event === 'message.created') this.publish(event, this.around);
    }
  }

  /** They come back by themselves, and hear what is said from then on. */
  lost(): void {}

  private publish({ event, data }: LogEvent, around: Surroundings): void {
    const shared = new Map<Encoding, Prepared>();
    const heard = { room: data.room, seq: data.seq };
    for (const [link, connection] of this.connections) {
      // Who has joined hears it as a member.
      if (link.rooms.has(data.room)) continue;
      link.heardUpTo = heard;
      let prepared = shared.get(link.wire);
      if (prepared === undefined) {
        prepared = this.prepare(link.wire, event, data, around);
        shared.set(link.wire, prepared);
      }
      connection.push(prepared);
    }
  }

  private prepare(
    encoding: Encoding,
    event: LogEvent['event'],
    data: unknown,
    around: Surroundings,
  ): Prepared {
    const emits = this.dialects.flatMap((dialect) => {
      try {
        return dialect.observer?.events({ event, data }, around) ?? [];
      } catch (err) {
        this.logger.error({ msg: `Dialect ${dialect.name} failed at ${event}`, err });
        return [];
      }
    });
    return encoding.join(emits.map(({ emit, data: payload }) => encoding.prepare(emit, payload)));
  }
}
