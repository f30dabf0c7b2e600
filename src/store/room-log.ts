import { randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { rowHash } from './row-hash.js';
import type { Sql } from '../database/sql.js';
import type { LockedLogs, LogPosition } from '../database/locked-logs.js';
import type { AppendedEvent, NewLog, WriteTransaction } from '../database/write-job.js';
import { messagesOfEvents } from './message-rows.js';
import type { EventData, LogEvent, LogEventName } from '../protocol/events.js';
import { normalizeReaction, OWN_ROOM } from '../protocol/names.js';
import type { Message, Position, Room } from '../protocol/models.js';
import { ownerOfLog } from './actor.js';
import { findPosition } from './room-rows.js';

export type { LogPosition };

interface EventRow {
  seq: number;
  type: LogEventName;
  at: number;
  message_id: string | null;
  body: string | null;
}

interface HeadRow {
  head: number;
  epoch: string;
  head_at: number;
}

const IS_ACCEPTED = `EXISTS (SELECT 1 FROM members WHERE room_id = $1 AND user_id = $2)
  AND NOT EXISTS (SELECT 1 FROM messages WHERE id = $3)`;
const ACCEPTS = `SELECT 1 AS yes WHERE ${IS_ACCEPTED}`;
const RESERVE = `UPDATE rooms SET head = head + 1, head_at = MAX(head_at, $4)
  WHERE id = $1 AND ${IS_ACCEPTED} RETURNING head, epoch, head_at`;
const INSERT_EVENTS = `INSERT INTO room_events (room_id, seq, type, at, message_id, body, hash)
  SELECT room_id, seq, type, at, message_id, body, hash FROM json_to_recordset($1) AS r
    (room_id text, seq integer, type text, at bigint, message_id text, body text, hash text)`;

/** Fields of an event beyond its position. */
export type EventBody<E extends LogEventName> = Omit<EventData<E>, 'room' | 'seq' | 'at' | 'prev'>;

/** An event with the message that it is about. */
export interface LoggedEvent {
  readonly event: LogEvent;
  readonly messageId: string | null;
}

/** A part of a log: up to `limit` events after a position. */
export interface LogPart {
  readonly log: string;
  readonly epoch: string;
  readonly after: number;
  readonly limit: number;
}

/** The log of each room: append and read (P-5.8). */
@Injectable()
export class RoomLog {
  /** Reserves the next position of a log; returns null if there is no such log. */
  async findNextPosition(tx: WriteTransaction, log: string): Promise<LogPosition | null> {
    if (tx.locked !== null) return tx.locked.take(log);
    const row = await tx.sql.get<HeadRow>(
      `UPDATE rooms SET head = head + 1, head_at = MAX(head_at, $2) WHERE id = $1
         RETURNING head, epoch, head_at`,
      log,
      tx.now(),
    );
    return row === undefined ? null : toPosition(row);
  }

  /**
   * Reserves the next position of a room for a message.
   *
   * Returns null if the sender is not a member or the message is already stored. Every message
   * passes here, so on SQLite one statement checks and reserves.
   */
  async reserveForMessage(
    tx: WriteTransaction,
    room: string,
    senderId: string,
    messageId: string,
  ): Promise<LogPosition | null> {
    if (tx.locked !== null) {
      const row = await tx.sql.get(ACCEPTS, room, senderId, messageId);
      return row === undefined ? null : tx.locked.take(room);
    }
    const row = await tx.sql.get<HeadRow>(RESERVE, room, senderId, messageId, tx.now());
    return row === undefined ? null : toPosition(row);
  }

  /** Appends an event whose data is stored with it. */
  async append<E extends LogEventName>(
    tx: WriteTransaction,
    log: string,
    type: E,
    body: EventBody<E>,
    about?: Message,
  ): Promise<LogPosition> {
    const position = await this.getNextPosition(tx, log);
    await this.insert(tx, log, position, type, about?.id ?? null, JSON.stringify(body));
    this.announce(tx, log, position, type, body, about);
    return position;
  }

  /** Appends an event about a message at a reserved position; the text stays with the message. */
  async appendMessage(
    tx: WriteTransaction,
    log: string,
    position: LogPosition,
    type: 'message.created' | 'message.edited' | 'message.deleted',
    message: Message,
  ): Promise<void> {
    await this.insert(tx, log, position, type, message.id, null);
    this.announce(tx, log, position, type, { message }, message);
  }

  /** Appends the creation of a message to a locked log, without a statement. */
  appendLater(
    tx: WriteTransaction,
    locked: LockedLogs,
    position: LogPosition,
    message: Message,
  ): void {
    insertLater(locked, message.room, position, 'message.created', message.id, null);
    this.announce(tx, message.room, position, 'message.created', { message }, message);
  }

  /** Reserves the next position of a log that exists. */
  async getNextPosition(tx: WriteTransaction, log: string): Promise<LogPosition> {
    const position = await this.findNextPosition(tx, log);
    if (position === null) throw new Error(`There is no log ${log}`);
    return position;
  }

  /** Reads events after a position, oldest first, messages as they are now (P-5.9). */
  async read(sql: Sql, log: string, after: number, limit: number): Promise<LoggedEvent[]> {
    const { rows, messages } = await this.readRows(sql, log, after, limit);
    return rows.map((row) => toLogged(log, row, messages));
  }

  /** Reads events as {@link read} does, in the form in which commits announce them. */
  async readAppended(sql: Sql, { log, epoch, after, limit }: LogPart): Promise<AppendedEvent[]> {
    const { rows, messages } = await this.readRows(sql, log, after, limit);
    return rows.map((row) => {
      const { event, messageId } = toLogged(log, row, messages);
      const message = messageId === null ? undefined : messages.get(messageId);
      return { log, epoch, event, ...(message === undefined ? {} : { message }) };
    });
  }

  private async readRows(
    sql: Sql,
    log: string,
    after: number,
    limit: number,
  ): Promise<{ rows: EventRow[]; messages: Map<string, Message> }> {
    const rows = await sql.all<EventRow>(
      `SELECT seq, type, at, message_id, body FROM room_events
        WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      log,
      after,
      limit,
    );
    const last = rows.at(-1);
    const messages =
      last === undefined
        ? new Map<string, Message>()
        : await messagesOfEvents(sql, log, after, last.seq);
    return { rows, messages };
  }

  private async insert(
    tx: WriteTransaction,
    log: string,
    position: LogPosition,
    type: LogEventName,
    messageId: string | null,
    body: string | null,
  ): Promise<void> {
    if (tx.locked !== null) {
      insertLater(tx.locked, log, position, type, messageId, body);
      return;
    }
    const row = [log, position.seq, type, position.at, messageId, body];
    await tx.sql.run(
      `INSERT INTO room_events (room_id, seq, type, at, message_id, body, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      ...row,
      rowHash(row),
    );
  }

  private announce(
    tx: WriteTransaction,
    log: string,
    { seq, epoch, at }: LogPosition,
    type: LogEventName,
    body: object,
    message: Message | undefined,
  ): void {
    const event = { event: type, data: { room: wireRoom(log), seq, at, ...body } } as LogEvent;
    tx.appended({ log, epoch, event, ...(message === undefined ? {} : { message }) });
  }
}

/** Returns the position of the last event of a log; null if there is no such log. */
export async function findHead(tx: WriteTransaction, log: string): Promise<Position | null> {
  return tx.locked === null ? findPosition(tx.sql, log) : tx.locked.find(log);
}

/** Declares the log of a room that may be missing. */
export function declareRoom(id: string): NewLog {
  return { log: id, epoch: newEpoch(), owner: null };
}

/** Returns the epoch of a new log. */
export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

function toPosition({ head, epoch, head_at }: HeadRow): LogPosition {
  return { seq: head, epoch, at: head_at };
}

function insertLater(
  locked: LockedLogs,
  room_id: string,
  { seq, at }: LogPosition,
  type: LogEventName,
  message_id: string | null,
  body: string | null,
): void {
  const hash = rowHash([room_id, seq, type, at, message_id, body]);
  locked.insert(INSERT_EVENTS, { room_id, seq, type, at, message_id, body, hash });
}

/** Returns the id of a log in the protocol. */
export function wireRoom(log: string): string {
  return ownerOfLog(log) === null ? log : OWN_ROOM;
}

function toLogged(log: string, row: EventRow, messages: Map<string, Message>): LoggedEvent {
  const body =
    row.body === null
      ? { message: row.message_id === null ? undefined : messages.get(row.message_id) }
      : upgrade(JSON.parse(row.body) as OldBody);
  const data = { room: wireRoom(log), seq: row.seq, at: row.at, ...body };
  return { event: { event: row.type, data } as LogEvent, messageId: row.message_id };
}

interface OldBody {
  readonly info?: Omit<Room, 'kind'> & Partial<Pick<Room, 'kind'>>;
  readonly emoji?: string;
}

/** Upgrades the body of an event that an earlier version logged. */
function upgrade(body: OldBody): OldBody {
  const { info, emoji } = body;
  // Before there were kinds of rooms, all rooms were public.
  if (info !== undefined && info.kind === undefined) {
    return { ...body, info: { ...info, kind: 'public' } };
  }
  // Before reactions were normalized, one emoji had several forms.
  return emoji === undefined ? body : { ...body, emoji: normalizeReaction(emoji) ?? emoji };
}
