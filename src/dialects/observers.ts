import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';

import type { Connection } from '../chat/connections/connection.js';
import type { Encoding, Prepared } from '../chat/connections/transport.js';
import { Presence } from '../chat/fan-out/presence.js';
import { CONFIG, type Config } from '../config/config.js';
import type { AppendedEvent } from '../database/write-job.js';
import type { EventData, LogEvent } from '../protocol/events.js';
import type { FeedListener } from '../store/log-feed.js';
import type { DialectLink } from './dialect-link.js';
import { DIALECT_CONTEXT, DIALECTS } from './dialect-tokens.js';
import type { Dialect, DialectContext } from './dialect.js';

/** Maximum number of posts kept after a start for returning clients. */
const KEPT_MESSAGES = 100;
/** Maximum characters of their texts. */
const KEPT_CHARS = 65_536;

interface Observer {
  readonly connection: Connection;
  /** Posts queued until the dialect is known; null afterwards. */
  waiting: LogEvent[] | null;
}

/**
 * Sends the default room to connections without a user, as events of their dialects (P-10.7).
 *
 * A connection is followed from its opening, so that it misses no post before its silence shows
 * that it only listens.
 */
@Injectable()
export class Observers implements FeedListener, OnApplicationBootstrap {
  private readonly logger = new Logger('Dialects');
  private readonly followed = new Map<DialectLink, Observer>();
  private readonly observers = new Set<Connection>();
  /** Number of observers that receive the default room. */
  private listeners = 0;
  /** Dialects whose clients may only listen. */
  private readonly dialects: readonly Dialect[];
  /** Posts since the start, for clients that have not reconnected yet. */
  private recent: LogEvent[] = [];
  private recentUntil = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(DIALECTS) dialects: readonly Dialect[],
    @Inject(DIALECT_CONTEXT) private readonly context: DialectContext,
    private readonly presence: Presence,
  ) {
    this.dialects = dialects.filter(({ observer }) => observer !== undefined);
  }

  /** Starts to keep posts: the first clients to reconnect may post before the others listen. */
  onApplicationBootstrap(): void {
    this.recentUntil = performance.now() + this.config.dialectAwaySeconds * 1_000;
  }

  /** Returns whether a connection receives the default room without a session. */
  isObserver(connection: Connection): boolean {
    return this.observers.has(connection);
  }

  /** Follows a new connection that may turn out to be an observer. */
  follow(link: DialectLink, connection: Connection): void {
    if (this.dialects.length === 0 || this.config.limits.observers === 0) return;
    this.followed.set(link, { connection, waiting: [...this.recentEvents()] });
  }

  /** Makes a silent connection an observer: sends the greeting and the queued posts. */
  listen(link: DialectLink): void {
    const observer = this.followed.get(link);
    if (observer === undefined || !this.admit(link, observer)) return;
    // A client that declared a dialect was greeted at that time, if the dialect has a greeting.
    if (link.dialect === null) this.greet(link, observer.connection);
    this.release(link, observer);
  }

  /** Restricts a connection to the events of the dialect that it declared. */
  setDialect(link: DialectLink): void {
    const observer = this.followed.get(link);
    if (observer === undefined) return;
    if (link.dialect?.observer === undefined) {
      observer.waiting = null;
      this.setHearing(link, false);
    } else if (this.admit(link, observer)) {
      this.release(link, observer);
    }
  }

  /** Stops following a connection unless it is an observer: it sent what no legacy client sends. */
  dismiss(link: DialectLink): void {
    const observer = this.followed.get(link);
    if (observer !== undefined && !this.isObserver(observer.connection)) this.followed.delete(link);
  }

  /** Stops following a connection, observer or not. */
  remove(link: DialectLink): void {
    const observer = this.followed.get(link);
    if (observer === undefined) return;
    this.followed.delete(link);
    this.setHearing(link, false);
    this.observers.delete(observer.connection);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.dialects.length === 0) return;
    for (const { log, event } of events) {
      if (log === this.context.defaultRoom && event.event === 'message.created') {
        this.keep(event);
        this.publish(event);
      }
    }
  }

  /** Makes a connection an observer; returns false and stops following it at the maximum number. */
  private admit(link: DialectLink, { connection }: Observer): boolean {
    if (this.observers.has(connection)) return true;
    if (this.observers.size >= this.config.limits.observers) {
      this.followed.delete(link);
      return false;
    }
    this.observers.add(connection);
    this.setHearing(link, mayListen(link));
    return true;
  }

  private greet(link: DialectLink, connection: Connection): void {
    for (const { observer } of this.dialects) {
      const { greeting } = observer ?? {};
      if (greeting !== undefined)
        connection.push(link.innerEncoding.prepare(greeting.emit, greeting.data));
    }
  }

  private release(link: DialectLink, observer: Observer): void {
    const { waiting } = observer;
    observer.waiting = null;
    for (const event of waiting ?? []) this.send(link, observer, event, new Map());
  }

  private publish(event: LogEvent): void {
    const shared = new Map<Encoding, Prepared>();
    for (const [link, observer] of this.followed) {
      if (observer.waiting === null) this.send(link, observer, event, shared);
      else observer.waiting.push(event);
    }
  }

  private send(
    link: DialectLink,
    { connection }: Observer,
    event: LogEvent,
    shared: Map<Encoding, Prepared>,
  ): void {
    const { room, seq } = event.data;
    // Members receive the post as room events.
    if (!mayListen(link) || link.rooms.has(room)) return;
    const prepared = shared.get(link.encoding) ?? this.prepare(link, event);
    shared.set(link.encoding, prepared);
    connection.push(prepared);
    link.sentUpTo = { room, seq };
  }

  private prepare(link: DialectLink, { event, data }: LogEvent): Prepared {
    const { encoding, dialect } = link;
    if (dialect !== null) return encoding.prepare(event, data);
    const emits = this.dialects.flatMap((one) => this.translate(one, event, data));
    return encoding.join(emits.map(({ emit, data: payload }) => encoding.prepare(emit, payload)));
  }

  private translate({ name, observer }: Dialect, event: LogEvent['event'], data: unknown) {
    try {
      return observer?.events({ event, data }, this.context) ?? [];
    } catch (err) {
      this.logger.error({ msg: `Dialect ${name} failed to translate ${event}`, err });
      return [];
    }
  }

  private keep(event: LogEvent): void {
    if (performance.now() > this.recentUntil) return;
    this.recent.push(event);
    let chars = 0;
    const isFull = (one: LogEvent): boolean => (chars += textOf(one).length) > KEPT_CHARS;
    const tooMuch = this.recent.findLastIndex(isFull);
    this.recent = this.recent.slice(Math.max(tooMuch + 1, this.recent.length - KEPT_MESSAGES));
  }

  private recentEvents(): readonly LogEvent[] {
    if (performance.now() > this.recentUntil) this.recent = [];
    return this.recent;
  }

  private setHearing(link: DialectLink, isHearing: boolean): void {
    if (link.hearsDefaultRoom === isHearing) return;
    link.hearsDefaultRoom = isHearing;
    this.listeners += isHearing ? 1 : -1;
    this.presence.setListeners(this.context.defaultRoom, this.listeners);
  }
}

/** Returns whether a connection may be a client that only listens. */
function mayListen({ dialect }: DialectLink): boolean {
  return dialect === null || dialect.observer !== undefined;
}

function textOf({ data }: LogEvent): string {
  return (data as EventData<'message.created'>).message.text;
}
