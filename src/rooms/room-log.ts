import { Injectable } from '@nestjs/common';

import type { Sql } from '../database/sql.js';
import type { WriteTransaction } from '../database/writer.js';
import { messagesOfEvents } from '../messages/message-rows.js';
import type { EventData, LogEvent, LogEventName } from '../protocol/events.js';
import { kindOfRoom, OWN_ROOM } from '../protocol/names.js';
import type { Message, Room } from '../protocol/models.js';
import { ownerOfLog } from '../users/actor.js';

interface EventRow {
  seq: number;
  type: LogEventName;
  at: number;
  message_id: string | null;
  body: string | null;
}

/** Fields of an event beyond its position. */
export type EventBody<E extends LogEventName> = Omit<EventData<E>, 'room' | 'seq' | 'at' | 'prev'>;

/** Place of an event in a log. */
export interface Place {
  readonly seq: number;
  readonly epoch: string;
  readonly at: number;
}

/** An event with the message that it is about. */
export interface LoggedEvent {
  readonly event: LogEvent;
  readonly messageId: string | null;
}

/** The log of each room: append and read (P-5.8). */
@Injectable()
export class RoomLog {
  /**
   * Takes the next position of a log; locks the log until the end of the transaction.
   *
   * Null if there is no such log.
   */
  async findNextPlace(tx: WriteTransaction, log: string): Promise<Place | null> {
    const row = await tx.sql.get<{ head: number; epoch: string }>(
      'UPDATE rooms SET head = head + 1 WHERE id = ? RETURNING head, epoch',
      log,
    );
    return row === undefined ? null : { seq: row.head, epoch: row.epoch, at: Date.now() };
  }

  /**
   * Takes the next position of a room for a message that is new and from a member.
   *
   * All of that in one statement, as every message comes this way; null if something is not so.
   */
  async findPlaceForMessage(
    tx: WriteTransaction,
    room: string,
    senderId: string,
    messageId: string,
  ): Promise<Place | null> {
    const row = await tx.sql.get<{ head: number; epoch: string }>(
      `UPDATE rooms SET head = head + 1 WHERE id = ?
         AND EXISTS (SELECT 1 FROM members WHERE room_id = ? AND user_id = ?)
         AND NOT EXISTS (SELECT 1 FROM messages WHERE id = ?)
         RETURNING head, epoch`,
      room,
      room,
      senderId,
      messageId,
    );
    return row === undefined ? null : { seq: row.head, epoch: row.epoch, at: Date.now() };
  }

  /** Appends an event that carries all that it says. */
  async append<E extends LogEventName>(
    tx: WriteTransaction,
    log: string,
    type: E,
    body: EventBody<E>,
    about?: Message,
  ): Promise<Place> {
    const place = await this.getNextPlace(tx, log);
    await this.insert(tx, log, place, type, about?.id ?? null, JSON.stringify(body));
    this.announce(tx, log, place, type, body, about);
    return place;
  }

  /** Appends an event about a message, at a place taken before; the text stays with the message. */
  async appendMessage(
    tx: WriteTransaction,
    log: string,
    place: Place,
    type: 'message.created' | 'message.edited' | 'message.deleted',
    message: Message,
  ): Promise<void> {
    await this.insert(tx, log, place, type, message.id, null);
    this.announce(tx, log, place, type, { message }, message);
  }

  /** Takes the next position of a log that exists. */
  async getNextPlace(tx: WriteTransaction, log: string): Promise<Place> {
    const place = await this.findNextPlace(tx, log);
    if (place === null) throw new Error(`There is no log ${log}`);
    return place;
  }

  /** Reads events after a position, oldest first, messages as they are now (P-5.9). */
  async read(sql: Sql, log: string, after: number, limit: number): Promise<LoggedEvent[]> {
    const rows = await sql.all<EventRow>(
      `SELECT seq, type, at, message_id, body FROM room_events
        WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      log,
      after,
      limit,
    );
    const last = rows.at(-1);
    if (last === undefined) return [];
    const messages = await messagesOfEvents(sql, log, after, last.seq);
    return rows.map((row) => toLogged(log, row, messages));
  }

  private async insert(
    tx: WriteTransaction,
    log: string,
    place: Place,
    type: LogEventName,
    messageId: string | null,
    body: string | null,
  ): Promise<void> {
    await tx.sql.run(
      'INSERT INTO room_events (room_id, seq, type, at, message_id, body) VALUES (?, ?, ?, ?, ?, ?)',
      log,
      place.seq,
      type,
      place.at,
      messageId,
      body,
    );
  }

  private announce(
    tx: WriteTransaction,
    log: string,
    { seq, epoch, at }: Place,
    type: LogEventName,
    body: object,
    message: Message | undefined,
  ): void {
    const event = { event: type, data: { room: wireRoom(log), seq, at, ...body } } as LogEvent;
    tx.appended({ log, epoch, event, ...(message === undefined ? {} : { message }) });
  }
}

/** Gives the id by which clients know a log. */
export function wireRoom(log: string): string {
  return ownerOfLog(log) === null ? log : OWN_ROOM;
}

function toLogged(log: string, row: EventRow, messages: Map<string, Message>): LoggedEvent {
  const body =
    row.body === null
      ? { message: row.message_id === null ? undefined : messages.get(row.message_id) }
      : withKind(JSON.parse(row.body) as { info?: Room });
  const data = { room: wireRoom(log), seq: row.seq, at: row.at, ...body };
  return { event: { event: row.type, data } as LogEvent, messageId: row.message_id };
}

/** Rooms were of one kind once, and what was logged then does not tell it. */
function withKind<B extends { info?: Room }>(body: B): B {
  if (body.info === undefined) return body;
  return { ...body, info: { ...body.info, kind: kindOfRoom(body.info.id) } };
}
