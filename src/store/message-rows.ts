import { rowHash } from './row-hash.js';
import type { LockedLogs } from '../database/locked-logs.js';
import type { Sql } from '../database/sql.js';
import type { WriteTransaction } from '../database/write-job.js';
import type { Attachment, Message, Reaction, User } from '../protocol/models.js';

interface MessageRow {
  id: string;
  room_id: string;
  seq: number;
  sender_id: string;
  name: string;
  user_kind: User['kind'];
  text: string;
  attachments: string | null;
  at: number;
  cid: string | null;
  reply_to: string | null;
  cause: string | null;
  kind: 'notice' | null;
  hops: number | null;
  edited_at: number | null;
  deleted_at: number | null;
  deleted_by: string | null;
}

interface ReactionRow {
  message_id: string;
  emoji: string;
  user_id: string;
}

const COLUMNS = `m.id, m.room_id, m.seq, m.sender_id, u.name, u.kind AS user_kind, m.text,
  m.attachments, m.at, m.cid, m.reply_to, m.cause, m.kind, m.hops, m.edited_at, m.deleted_at, m.deleted_by`;
const INSERT_MESSAGES = `INSERT INTO messages (id, room_id, seq, sender_id, text, at, cid,
    content_hash, reply_to, cause, kind, hops, attachments, hash)
  SELECT id, room_id, seq, sender_id, text, at, cid, content_hash, reply_to, cause, kind, hops,
    attachments, hash FROM json_to_recordset($1) AS r(id text, room_id text, seq integer,
    sender_id text, text text, at bigint, cid text, content_hash text, reply_to text, cause text,
    kind text, hops integer, attachments text, hash text)`;
const FROM = 'FROM messages m JOIN users u ON u.id = m.sender_id';
// Scalar queries, since PostgreSQL may read a whole table for an EXISTS of many rows.
const ACCEPTS_MESSAGES = `SELECT
    (SELECT true FROM members WHERE room_id = k.room AND user_id = k.sender) IS NOT NULL
    AND (SELECT true FROM messages m WHERE m.id = k.id) IS NULL
    AND CASE WHEN k.room NOT LIKE '@dm-%' THEN true
        ELSE (SELECT count(*) FROM members WHERE room_id = k.room) = 2
          AND (SELECT count(*) FROM direct_users a
                 JOIN direct_users b ON b.room_id = a.room_id AND b.user_id <> a.user_id
                 JOIN blocks ON blocker_id = a.user_id AND blocked_id = b.user_id
                WHERE a.room_id = k.room) = 0 END AS yes
  FROM ROWS FROM (json_to_recordset($1) AS (id text, room text, sender text))
    WITH ORDINALITY AS k(id, room, sender, n)
 ORDER BY n`;
// The log has the order of the messages; an index of `messages` would write one more page for each.
const CREATED = `FROM room_events e JOIN messages m ON m.id = e.message_id
  JOIN users u ON u.id = m.sender_id WHERE e.room_id = $1 AND e.type = 'message.created'`;

/** Finds a message of a room as it is now; null if it is not one of that room. */
export async function findMessage(sql: Sql, room: string, id: string): Promise<Message | null> {
  const row = await sql.get<MessageRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE m.id = $1 AND m.room_id = $2`,
    id,
    room,
  );
  if (row === undefined) return null;
  const reactions = await sql.all<ReactionRow>(
    'SELECT message_id, emoji, user_id FROM reactions WHERE message_id = $1 ORDER BY emoji, seq',
    id,
  );
  return toMessage(row, groupReactions(reactions).get(id));
}

/** Stores a message, with the hash of its content. */
export async function insertMessage(
  { sql, locked }: WriteTransaction,
  message: Message,
  contentHash: string | null,
): Promise<void> {
  if (locked !== null) {
    insertMessageLater(locked, message, contentHash);
    return;
  }
  const { id, room, seq, sender, text, at, cid, replyTo, cause, kind, hops, attachments } = message;
  await sql.run(
    `INSERT INTO messages
       (id, room_id, seq, sender_id, text, at, cid, content_hash, reply_to, cause, kind, hops,
        attachments, hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    ...[id, room, seq, sender.id, text, at, orNull(cid), contentHash, orNull(replyTo)],
    ...[orNull(cause), orNull(kind), orNull(hops), toJson(attachments), hashMessage(message)],
  );
}

/** Stores a message together with others of the transaction. */
export function insertMessageLater(
  locked: LockedLogs,
  message: Message,
  contentHash: string | null,
): void {
  const { id, room, seq, sender, text, at, cid, replyTo, cause, kind, hops, attachments } = message;
  locked.insert(INSERT_MESSAGES, {
    ...{ id, room_id: room, seq, sender_id: sender.id, text, at, cid, content_hash: contentHash },
    ...{ reply_to: replyTo, cause, kind, hops, attachments: toJson(attachments) },
    hash: hashMessage(message),
  });
}

/** Returns the hash to store with a message; an edit stores a new one. */
export function hashMessage(message: Message): string {
  const { id, room, seq, sender, text, at, cid, replyTo, cause, kind, hops, attachments } = message;
  const { editedAt, deletedAt, deletedBy } = message;
  return rowHash([
    ...[id, room, seq, sender.id, text, at, orNull(cid), orNull(replyTo), orNull(cause)],
    ...[orNull(kind), orNull(hops), toJson(attachments)],
    ...[orNull(editedAt), orNull(deletedAt), orNull(deletedBy)],
  ]);
}

/** A message that a user sends to a room. */
export interface MessageQuestion {
  readonly id: string;
  readonly room: string;
  readonly sender: string;
}

/**
 * Returns of each message whether its room accepts it as new, by one statement on PostgreSQL.
 *
 * The sender has to be a member. In a direct room, the other user has to be one as well, and
 * neither may have blocked the other.
 */
export async function acceptsMessages(
  sql: Sql,
  questions: readonly MessageQuestion[],
): Promise<boolean[]> {
  const rows = await sql.all<{ yes: boolean }>(ACCEPTS_MESSAGES, JSON.stringify(questions));
  return rows.map(({ yes }) => yes);
}

/** Returns whether a message with an id exists, in any room. */
export async function isMessageStored(sql: Sql, id: string): Promise<boolean> {
  return (await sql.get('SELECT 1 AS yes FROM messages WHERE id = $1', id)) !== undefined;
}

/** Reads the messages of a room before a position, newest first. */
export function messagesBefore(
  sql: Sql,
  room: string,
  before: number,
  limit: number,
): Promise<Message[]> {
  return page(sql, 'e.seq < $2 ORDER BY e.seq DESC LIMIT $3', room, before, limit);
}

/** Reads the messages of a room after a position, oldest first. */
export function messagesAfter(
  sql: Sql,
  room: string,
  after: number,
  limit: number,
): Promise<Message[]> {
  return page(sql, 'e.seq > $2 ORDER BY e.seq LIMIT $3', room, after, limit);
}

/** Reads the messages that the events in a part of a log are about, by id. */
export async function messagesOfEvents(
  sql: Sql,
  room: string,
  after: number,
  last: number,
): Promise<Map<string, Message>> {
  const within = 'e.room_id = $1 AND e.seq > $2 AND e.seq <= $3';
  const rows = await sql.all<MessageRow>(
    `SELECT DISTINCT ${COLUMNS} FROM room_events e JOIN messages m ON m.id = e.message_id
       JOIN users u ON u.id = m.sender_id WHERE ${within}`,
    room,
    after,
    last,
  );
  const reactions = await sql.all<ReactionRow>(
    `SELECT DISTINCT r.seq, r.message_id, r.emoji, r.user_id FROM room_events e
       JOIN reactions r ON r.message_id = e.message_id WHERE ${within} ORDER BY r.emoji, r.seq`,
    room,
    after,
    last,
  );
  const grouped = groupReactions(reactions);
  return new Map(rows.map((row) => [row.id, toMessage(row, grouped.get(row.id))]));
}

async function page(
  sql: Sql,
  condition: string,
  room: string,
  bound: number,
  limit: number,
): Promise<Message[]> {
  const rows = await sql.all<MessageRow>(
    `SELECT ${COLUMNS} ${CREATED} AND ${condition}`,
    room,
    bound,
    limit,
  );
  if (rows.length === 0) return [];
  const seqs = rows.map((row) => row.seq);
  const reactions = await sql.all<ReactionRow>(
    `SELECT r.message_id, r.emoji, r.user_id FROM room_events e
       JOIN reactions r ON r.message_id = e.message_id
      WHERE e.room_id = $1 AND e.type = 'message.created' AND e.seq >= $2 AND e.seq <= $3
      ORDER BY r.emoji, r.seq`,
    room,
    Math.min(...seqs),
    Math.max(...seqs),
  );
  const grouped = groupReactions(reactions);
  return rows.map((row) => toMessage(row, grouped.get(row.id)));
}

function toJson(attachments: readonly Attachment[] | undefined): string | null {
  return attachments === undefined ? null : JSON.stringify(attachments);
}

function readAttachments(json: string | null): Pick<Message, 'attachments'> {
  return json === null ? {} : { attachments: JSON.parse(json) as Attachment[] };
}

function groupReactions(rows: readonly ReactionRow[]): Map<string, Reaction[]> {
  const grouped = new Map<string, Reaction[]>();
  for (const { message_id, emoji, user_id } of rows) {
    const reactions = grouped.get(message_id) ?? [];
    grouped.set(message_id, reactions);
    const same = reactions.find((reaction) => reaction.emoji === emoji);
    if (same === undefined) reactions.push({ emoji, users: [user_id] });
    else same.users.push(user_id);
  }
  return grouped;
}

function toMessage(row: MessageRow, reactions: Reaction[] = []): Message {
  return {
    id: row.id,
    room: row.room_id,
    seq: row.seq,
    sender: { id: row.sender_id, name: row.name, kind: row.user_kind },
    text: row.text,
    ...readAttachments(row.attachments),
    at: row.at,
    ...(row.cid === null ? {} : { cid: row.cid }),
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
    ...(row.cause === null ? {} : { cause: row.cause }),
    ...(row.kind === null ? {} : { kind: row.kind }),
    ...(row.hops === null ? {} : { hops: row.hops }),
    ...readChanges(row),
    reactions,
  };
}

function readChanges(row: MessageRow): Pick<Message, 'editedAt' | 'deletedAt' | 'deletedBy'> {
  return {
    ...(row.edited_at === null ? {} : { editedAt: row.edited_at }),
    ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }),
    ...(row.deleted_by === null ? {} : { deletedBy: row.deleted_by }),
  };
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}

/** A message with the hash that was stored with it, if one was. */
export interface HashedMessage {
  readonly message: Message;
  readonly hash: string | null;
}

/** Reads the messages that were created in a part of a log, by the position of their event. */
export async function hashedMessages(
  sql: Sql,
  room: string,
  after: number,
  last: number,
): Promise<Map<number, HashedMessage>> {
  // Without the users, so that a row with a damaged sender is found as well.
  const rows = await sql.all<MessageRow & { event_seq: number; hash: string | null }>(
    `SELECT e.seq AS event_seq, m.*, '' AS name, 'guest' AS user_kind
       FROM room_events e JOIN messages m ON m.id = e.message_id
      WHERE e.room_id = $1 AND e.type = 'message.created' AND e.seq > $2 AND e.seq <= $3`,
    room,
    after,
    last,
  );
  return new Map(rows.map((row) => [row.event_seq, { message: toMessage(row), hash: row.hash }]));
}
