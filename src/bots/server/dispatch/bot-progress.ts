import { Injectable } from '@nestjs/common';

import { Lease } from '../../../database/lease.js';
import { PeriodicJob } from '../../../database/periodic-job.js';
import { Reader } from '../../../database/reader.js';
import { Writer } from '../../../database/writer.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { FollowedLog } from '../../../store/followed-log.js';
import { LogFeed } from '../../../store/log-feed.js';
import type { BotAccount } from '../roster/bot-account.js';

/** Time between two writes of marks: what a bot did since may be offered to it again. */
const STORE_MS = 2_000;

const READ = `SELECT m.user_id AS bot, m.room_id AS room, r.epoch, r.head,
    CASE WHEN k.epoch = r.epoch THEN k.seq END AS mark
  FROM members m JOIN rooms r ON r.id = m.room_id
  LEFT JOIN bot_marks k ON k.bot_id = m.user_id AND k.room_id = m.room_id
  JOIN json_to_recordset($1) AS asked(bot text, room text)
    ON asked.bot = m.user_id AND asked.room = m.room_id`;
/** A mark moves forward only: the bot may have left and joined again since it was read. */
const STORE = `INSERT INTO bot_marks (bot_id, room_id, epoch, seq)
  SELECT bot, room, epoch, seq
    FROM json_to_recordset($1) AS k(bot text, room text, epoch text, seq integer)
  ON CONFLICT (bot_id, room_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
    WHERE bot_marks.epoch <> excluded.epoch OR bot_marks.seq < excluded.seq`;

interface Stored {
  readonly bot: string;
  readonly room: string;
  readonly epoch: string;
  readonly head: number;
  readonly mark: number | null;
}

interface Entry {
  readonly epoch: string;
  readonly followed: FollowedLog;
  /** Position of the latest event. */
  latest: number;
  /** Number of events that were offered to the bot, and not accepted yet. */
  offered: number;
  /** Position of the latest event that was handled, while later ones wait; null if none do. */
  handled: number | null;
  /** Position in the database. */
  stored: number | null;
}

/** A room in which a bot has events to catch up on. */
export interface Backlog {
  readonly bot: BotAccount;
  readonly room: string;
  /** Position after which the bot continues. */
  readonly after: number;
  readonly head: number;
}

/**
 * The positions of the bots inside this server, which the server that runs them next continues from.
 *
 * Only servers that share a database need them.
 */
@Injectable()
export class BotProgress {
  private readonly entries = new Map<BotAccount, Map<string, Entry>>();
  /** Positions that rooms have reached while the positions of bots in them are read. */
  private readonly reached = new Map<string, number>();
  private readonly job: PeriodicJob;
  private starting = 0;
  private isRunning = false;

  constructor(
    private readonly lease: Lease,
    private readonly reader: Reader,
    private readonly writer: Writer,
    private readonly feed: LogFeed,
  ) {
    const run = (): Promise<void> => this.store();
    this.job = new PeriodicJob({ name: 'storing of marks', pauseMs: STORE_MS, run });
    if (lease.isShared) this.job.start();
  }

  /** Starts to take positions; {@link follow} names the rooms. */
  begin(): void {
    this.isRunning = true;
  }

  /** Follows the rooms of bots in which they have no position yet; returns where they are behind. */
  async follow(bots: readonly BotAccount[]): Promise<Backlog[]> {
    const pairs = bots.flatMap((bot) =>
      [...bot.rooms.keys()].filter((room) => !this.has(bot, room)).map((room) => ({ bot, room })),
    );
    if (pairs.length === 0) return [];
    this.starting++;
    try {
      const asked = JSON.stringify(pairs.map(({ bot, room }) => ({ bot: bot.actor.id, room })));
      const stored = await this.reader.snapshot(({ sql }) => sql.all<Stored>(READ, asked));
      const byId = new Map(bots.map((bot) => [bot.actor.id, bot]));
      return stored.flatMap((row) => this.enter(byId.get(row.bot), row));
    } finally {
      if (--this.starting === 0) this.reached.clear();
    }
  }

  /** Forgets the rooms that a bot has left, and returns them. */
  unfollow(bot: BotAccount): string[] {
    const left = [...(this.entries.get(bot) ?? [])].filter(([room]) => !bot.rooms.has(room));
    for (const [room, { followed }] of left) {
      this.feed.unfollow(followed);
      this.entries.get(bot)?.delete(room);
    }
    return left.map(([room]) => room);
  }

  /** Forgets a room that the database has lost events of. */
  forget(room: string): void {
    for (const entries of this.entries.values()) entries.delete(room);
  }

  /** Notes that an event came; returns whether it is to be offered to a bot now. */
  advance(bot: BotAccount, room: string, seq: number): boolean {
    const entry = this.entries.get(bot)?.get(room);
    if (entry === undefined) {
      if (this.starting > 0) this.reached.set(room, Math.max(seq, this.reached.get(room) ?? 0));
      return false;
    }
    if (seq <= entry.latest) return false;
    entry.latest = seq;
    return true;
  }

  /** Notes that an event may be for a bot. */
  offered(bot: BotAccount, room: string): void {
    const entry = this.entries.get(bot)?.get(room);
    if (entry !== undefined) entry.offered++;
  }

  /** Notes that it was decided whether an event is for a bot. */
  accepted(bot: BotAccount, room: string): void {
    const entry = this.entries.get(bot)?.get(room);
    if (entry !== undefined) entry.offered--;
  }

  /** Notes that a bot has to handle something after a position. */
  wait(bot: BotAccount, room: string, after: number): void {
    const entry = this.entries.get(bot)?.get(room);
    if (entry !== undefined) entry.handled ??= Math.min(after, entry.latest);
  }

  /** Notes that a bot has handled an event. */
  handled(bot: BotAccount, room: string, seq: number): void {
    const entry = this.entries.get(bot)?.get(room);
    if (entry?.handled !== undefined && entry.handled !== null)
      entry.handled = Math.max(entry.handled, seq);
  }

  /** Notes that a bot has handled everything that it was offered. */
  rest(bot: BotAccount, room: string): void {
    const entry = this.entries.get(bot)?.get(room);
    if (entry !== undefined) entry.handled = null;
  }

  /** Stores the positions that have changed. */
  async store(): Promise<void> {
    const fence = this.lease.fence();
    const changed = this.isRunning ? this.changed() : [];
    if (changed.length === 0) return;
    const rows = JSON.stringify(changed.map(({ row }) => row));
    try {
      await this.writer.run([], async (tx) => {
        await fence?.(tx);
        await tx.sql.run(STORE, rows);
      });
    } catch (error) {
      // They stay changed, and are stored at the next time, here or by the next holder.
      if (!(error instanceof ProtocolError)) throw error;
      return;
    }
    for (const { entry, row } of changed) entry.stored = row.seq;
  }

  /** Forgets all positions. */
  end(): void {
    this.isRunning = false;
    for (const entries of this.entries.values()) {
      for (const { followed } of entries.values()) this.feed.unfollow(followed);
    }
    this.entries.clear();
  }

  /** Stores the positions for the last time. */
  async stop(): Promise<void> {
    await this.job.stop();
    await this.store();
  }

  private has(bot: BotAccount, room: string): boolean {
    return this.entries.get(bot)?.has(room) === true;
  }

  private enter(bot: BotAccount | undefined, row: Stored): Backlog[] {
    const { room, epoch, head, mark } = row;
    if (!this.isRunning || bot?.rooms.has(room) !== true || this.has(bot, room)) return [];
    const latest = Math.max(head, this.reached.get(room) ?? 0);
    const followed = this.feed.follow(room, { epoch, seq: head }, latest);
    const after = mark ?? head;
    const entries = this.entries.get(bot) ?? new Map<string, Entry>();
    this.entries.set(
      bot,
      entries.set(room, { epoch, followed, latest, offered: 0, handled: null, stored: mark }),
    );
    return after < latest ? [{ bot, room, after, head: latest }] : [];
  }

  private changed(): { entry: Entry; row: Omit<Stored, 'head' | 'mark'> & { seq: number } }[] {
    return [...this.entries].flatMap(([bot, entries]) =>
      [...entries].flatMap(([room, entry]) => {
        if (entry.handled === null && entry.offered > 0) return [];
        const seq = entry.handled ?? entry.latest;
        if (entry.stored !== null && seq <= entry.stored) return [];
        return { entry, row: { bot: bot.actor.id, room, epoch: entry.epoch, seq } };
      }),
    );
  }
}
