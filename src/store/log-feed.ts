import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';

import { Reader } from '../database/reader.js';
import type { Sql } from '../database/sql.js';
import type { AppendedEvent } from '../database/write-job.js';
import type { CommitListener } from '../database/writer.js';
import type { Position } from '../protocol/models.js';
import { FollowedLog } from './followed-log.js';
import { RoomLog } from './room-log.js';
import { findPosition, findPositions } from './room-rows.js';

/** Events read by one query. */
const PAGE = 256;
/** Time after which a read that failed is tried again. */
const RETRY_MS = 500;

/** Listens to the events of all logs. */
export interface FeedListener {
  /** Called with committed events; those of a followed log come once each, in order. */
  committed(events: readonly AppendedEvent[]): void;
  /** Called when events of logs that nobody follows may be missing, as after a lost database. */
  restored?(): void;
  /** Called when the database no longer has the events of a log that memory has. */
  reverted?(log: string): void;
}

/** A followed log, with its position before a query that asks for it. */
interface Asked {
  readonly followed: FollowedLog;
  readonly head: number;
}

/**
 * The one door through which committed events reach this process.
 *
 * Commits of its own writer and events that another process reports are treated alike. For each log
 * that is followed, the next event is passed on, one that was passed on before is dropped, and
 * missing ones are read from the log: they are committed, since positions are given in the order of
 * commits. Events of other logs are passed on as they come.
 */
@Injectable()
export class LogFeed implements CommitListener, OnModuleDestroy {
  private readonly logger = new Logger(LogFeed.name);
  private readonly listeners: FeedListener[] = [];
  private readonly logs = new Map<string, FollowedLog>();
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly reader: Reader,
    private readonly roomLog: RoomLog,
  ) {}

  onModuleDestroy(): void {
    clearTimeout(this.retry);
  }

  /** Registers a listener; they are called in the order of registration. */
  listen(listener: FeedListener): void {
    this.listeners.push(listener);
  }

  /**
   * Follows a log after a position that the caller has read or reached, until {@link unfollow}.
   *
   * `known` is a later position that the log has reached.
   */
  follow(log: string, position: Position, known = position.seq): FollowedLog {
    let followed = this.logs.get(log);
    if (followed?.epoch === position.epoch) {
      followed.followers++;
    } else {
      if (followed !== undefined) this.revert(followed);
      followed = new FollowedLog(log, position);
      this.logs.set(log, followed);
    }
    followed.reached(Math.max(position.seq, known));
    this.fillSoon(followed);
    return followed;
  }

  /** Stops following a log, unless another caller follows it too. */
  unfollow(followed: FollowedLog): void {
    if (--followed.followers > 0 || this.logs.get(followed.log) !== followed) return;
    this.logs.delete(followed.log);
  }

  /** Returns whether anyone follows a log. */
  follows(log: string): boolean {
    return this.logs.has(log);
  }

  /** Returns the logs that someone follows. */
  followedLogs(): string[] {
    return [...this.logs.keys()];
  }

  /** Passes on what the writer of this process has committed. */
  committed(events: readonly AppendedEvent[]): void {
    const disturbed = events.findIndex((event) => !this.advance(event));
    if (disturbed === -1) this.deliver(events);
    else this.deliverNext(events, disturbed);
  }

  /** Passes on what another process has committed; events may be missing, repeated or reordered. */
  heard(events: readonly AppendedEvent[]): void {
    this.committed(events);
  }

  /** Notes that another process has committed up to a position. */
  heardHead(log: string, { epoch, seq }: Position): void {
    const followed = this.logs.get(log);
    if (followed === undefined) return;
    if (followed.epoch !== epoch) {
      this.doubt(followed);
      return;
    }
    followed.reached(seq);
    this.fillSoon(followed);
  }

  /** Notes that events of logs that nobody follows may be missing. */
  missed(): void {
    this.tell('restored', (listener) => listener.restored?.());
  }

  /**
   * Resolves when a followed log has been passed on up to a position, which it has reached.
   *
   * Returns undefined if it has been already. Rejects with `unavailable`.
   */
  reach(log: string, seq: number): Promise<void> | undefined {
    this.logs.get(log)?.reached(seq);
    return this.untilFilled(log);
  }

  /**
   * Resolves when no event of a log is known to be missing; returns undefined if none is.
   *
   * Rejects with `unavailable`.
   */
  untilFilled(log: string): Promise<void> | undefined {
    const followed = this.logs.get(log);
    return followed?.isBehind === true ? this.fill(followed) : undefined;
  }

  /**
   * Compares followed logs with the database; reads what is missing afterwards.
   *
   * @throws ProtocolError `unavailable`
   */
  async recheck(logs: Iterable<string> = this.logs.keys()): Promise<void> {
    const asked = this.ask(logs);
    const stored = await this.reader.separately((sql) => readStored(sql, asked));
    this.compare(asked, stored);
  }

  /** Compares all followed logs with the database, over the connection of the writer. */
  async restored(sql: Sql): Promise<() => void> {
    const asked = this.ask(this.logs.keys());
    const stored = await readStored(sql, asked);
    return () => {
      this.missed();
      this.compare(asked, stored);
    };
  }

  private ask(logs: Iterable<string>): Asked[] {
    return [...logs].flatMap((log) => {
      const followed = this.logs.get(log);
      return followed === undefined ? [] : { followed, head: followed.head };
    });
  }

  private compare(asked: readonly Asked[], stored: ReadonlyMap<string, Position>): void {
    for (const { followed, head } of asked) {
      const position = stored.get(followed.log);
      if (this.logs.get(followed.log) !== followed) continue;
      if (isBefore(position, followed.epoch, head)) this.revert(followed);
      else {
        followed.reached(position?.seq ?? 0);
        this.fillSoon(followed);
      }
    }
  }

  /** Returns whether an event is the next one of its log, or its log is not followed. */
  private advance(appended: AppendedEvent): boolean {
    const followed = this.logs.get(appended.log);
    if (followed === undefined) return true;
    if (followed.epoch === appended.epoch) {
      if (followed.advance(appended)) return true;
      followed.keep(appended);
    } else this.doubt(followed);
    return false;
  }

  /** Delivers the events that are next; `disturbed` is the first one that is not. */
  private deliverNext(events: readonly AppendedEvent[], disturbed: number): void {
    const later = events.slice(disturbed + 1).filter((event) => this.advance(event));
    const next = [...events.slice(0, disturbed), ...later];
    if (next.length > 0) this.deliver(next);
    for (const log of new Set(events.slice(disturbed).map((event) => event.log))) {
      const followed = this.logs.get(log);
      if (followed?.isBehind === true) this.deliverKept(followed);
    }
  }

  /** Delivers kept events whose turn has come, and reads those that are still missing. */
  private deliverKept(followed: FollowedLog): void {
    const next = followed.advanceOver([]);
    if (next.length > 0) this.deliver(next);
    this.fillSoon(followed);
  }

  private deliver(events: readonly AppendedEvent[]): void {
    this.tell('committed', (listener) => listener.committed(events));
  }

  /** Calls the listeners; one that throws does not keep the others from being called. */
  private tell(what: string, call: (listener: FeedListener) => void): void {
    for (const listener of this.listeners) {
      try {
        call(listener);
      } catch (error) {
        this.logger.error({ msg: 'A listener failed', of: what, err: error });
      }
    }
  }

  private revert(followed: FollowedLog): void {
    const { log, head } = followed;
    this.logger.warn({ msg: 'The database has lost events of a log', log, head });
    this.logs.delete(log);
    this.tell('reverted', (listener) => listener.reverted?.(log));
  }

  /** Compares a log with the database, since someone names another epoch of it. */
  private doubt({ log }: FollowedLog): void {
    this.recheck([log]).catch((error: unknown) => {
      this.logger.warn({ msg: 'A log could not be compared with the database', log, err: error });
    });
  }

  private fillSoon(followed: FollowedLog): void {
    // A failure is logged, and the read is tried again.
    if (followed.isBehind) this.fill(followed).catch(() => undefined);
  }

  /** Reads missing events, by one read at a time for each log. */
  private fill(followed: FollowedLog): Promise<void> {
    return (followed.filling ??= this.readMissing(followed));
  }

  private async readMissing(followed: FollowedLog): Promise<void> {
    try {
      while (followed.isBehind && this.logs.get(followed.log) === followed) {
        await this.readPage(followed);
      }
    } catch (error) {
      this.retryLater(followed, error);
      throw error;
    } finally {
      followed.filling = null;
    }
  }

  private async readPage(followed: FollowedLog): Promise<void> {
    const { log, epoch, head, known } = followed;
    // The events are never older than the position, and their messages are in their form now.
    const { position, events } = await this.reader.separately(async (sql) => ({
      position: await findPosition(sql, log),
      events: await this.roomLog.readAppended(sql, { log, epoch, after: head, limit: PAGE }),
    }));
    if (this.logs.get(log) !== followed) return;
    if (isBefore(position, epoch, head)) {
      this.revert(followed);
      return;
    }
    const next = followed.advanceOver(events);
    if (next.length > 0) this.deliver(next);
    // Meanwhile the events may have come, or further ones.
    if (followed.head > head || followed.known > known) return;
    if ((position?.seq ?? 0) > head) this.revert(followed);
    else followed.settle();
  }

  /** Reads all logs again that are behind; logs this once for all that fail meanwhile. */
  private retryLater({ log }: FollowedLog, error: unknown): void {
    if (this.retry !== undefined) return;
    this.logger.warn({ msg: 'A log could not be read; trying again', log, err: error });
    this.retry = setTimeout(() => this.fillAll(), RETRY_MS).unref();
  }

  private fillAll(): void {
    this.retry = undefined;
    for (const followed of this.logs.values()) this.fillSoon(followed);
  }
}

/** Returns whether a log is stored only up to a position before one, or under another epoch. */
function isBefore(stored: Position | null | undefined, epoch: string, head: number): boolean {
  // The own log of a guest is stored with the first event of the guest.
  if (stored === null || stored === undefined) return head > 0;
  return stored.epoch !== epoch || stored.seq < head;
}

async function readStored(sql: Sql, asked: readonly Asked[]): Promise<Map<string, Position>> {
  return findPositions(
    sql,
    asked.map(({ followed }) => followed.log),
  );
}
