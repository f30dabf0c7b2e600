import { rowHash } from './row-hash.js';
import type { Sql, SqlValue } from '../database/sql.js';
import { hashedMessages, hashMessage, type HashedMessage } from './message-rows.js';

const PAGE = 500;

interface EventRow {
  readonly seq: number;
  readonly type: string;
  readonly at: number;
  readonly message_id: string | null;
  readonly body: string | null;
  readonly hash: string | null;
}

/** Counts of the rows read. */
export interface Verified {
  events: number;
  messages: number;
  /** Events and messages that an earlier version wrote without a hash. */
  withoutHash: number;
}

/**
 * Compares every event and message with its hash, and every log with its head.
 *
 * Yields one line for each fault; it names rooms, positions and ids, never a text.
 */
export async function* verifyLogs(sql: Sql, verified: Verified): AsyncGenerator<string> {
  let room = '';
  for (;;) {
    const rooms = await sql.all<{ id: string; head: number }>(
      'SELECT id, head FROM rooms WHERE id > $1 ORDER BY id LIMIT $2',
      room,
      PAGE,
    );
    for (const { id, head } of rooms) yield* verifyLog(sql, id, head, verified);
    const last = rooms.at(-1);
    if (last === undefined) break;
    room = last.id;
  }
  yield* findStrays(sql);
}

async function* verifyLog(
  sql: Sql,
  room: string,
  head: number,
  verified: Verified,
): AsyncGenerator<string> {
  let seq = 0;
  for (;;) {
    const events = await sql.all<EventRow>(
      `SELECT seq, type, at, message_id, body, hash FROM room_events
        WHERE room_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      room,
      seq,
      PAGE,
    );
    const last = events.at(-1);
    if (last === undefined) break;
    const messages = await hashedMessages(sql, room, seq, last.seq);
    for (const event of events) {
      if (event.seq > seq + 1) yield missing(room, seq + 1, event.seq - 1);
      yield* verifyEvent(room, event, messages.get(event.seq), verified);
      seq = event.seq;
    }
  }
  if (seq < head) yield missing(room, seq + 1, head);
  if (seq > head) yield `${room}: the log ends at ${String(seq)}, but its head is ${String(head)}`;
}

function* verifyEvent(
  room: string,
  event: EventRow,
  stored: HashedMessage | undefined,
  verified: Verified,
): Generator<string> {
  const { seq, type, at, message_id, body, hash } = event;
  const where = `${room}, event ${String(seq)}`;
  verified.events++;
  const row: SqlValue[] = [room, seq, type, at, message_id, body];
  if (hash === null) verified.withoutHash++;
  else if (hash !== rowHash(row)) yield `${where}: the event has changed since it was stored`;
  if (type !== 'message.created') return;
  if (stored === undefined) {
    yield `${where}: its message ${String(message_id)} is missing`;
    return;
  }
  verified.messages++;
  if (stored.hash === null) verified.withoutHash++;
  else if (stored.hash !== hashMessage(stored.message)) {
    yield `${where}: its message ${String(message_id)} has changed since it was stored`;
  }
}

/** Finds messages and events that no log refers to. */
async function* findStrays(sql: Sql): AsyncGenerator<string> {
  const messages = await sql.all<{ id: string; room: string }>(
    `SELECT m.id, m.room_id AS room FROM messages m LEFT JOIN room_events e
         ON e.room_id = m.room_id AND e.seq = m.seq AND e.message_id = m.id
      WHERE e.seq IS NULL LIMIT $1`,
    PAGE,
  );
  for (const { id, room } of messages) yield `${room}: no event has created the message ${id}`;
  const logs = await sql.all<{ room: string }>(
    `SELECT DISTINCT e.room_id AS room FROM room_events e LEFT JOIN rooms r ON r.id = e.room_id
      WHERE r.id IS NULL LIMIT $1`,
    PAGE,
  );
  for (const { room } of logs) yield `${room}: there are events, but the room is missing`;
}

function missing(room: string, first: number, last: number): string {
  const which =
    first === last ? `event ${String(first)} is` : `events ${String(first)} to ${String(last)} are`;
  return `${room}: ${which} missing`;
}
