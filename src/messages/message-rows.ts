import type { Sql } from '../database/sql.js';
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
const FROM = 'FROM messages m JOIN users u ON u.id = m.sender_id';
// The log knows the order of the messages; an index of their own would cost a page a message.
const CREATED = `FROM room_events e JOIN messages m ON m.id = e.message_id
  JOIN users u ON u.id = m.sender_id WHERE e.room_id = ? AND e.type = 'message.created'`;

/** Finds a message of a room as it is now; null if it is not one of that room. */
export async function findMessage(sql: Sql, room: string, id: string): Promise<Message | null> {
  const row = await sql.get<MessageRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE m.id = ? AND m.room_id = ?`,
    id,
    room,
  );
  if (row === undefined) return null;
  const reactions = await sql.all<ReactionRow>(
    'SELECT message_id, emoji, user_id FROM reactions WHERE message_id = ? ORDER BY emoji, seq',
    id,
  );
  return toMessage(row, groupReactions(reactions).get(id));
}

/** Stores a message, with the hash of its content. */
export async function insertMessage(
  sql: Sql,
  message: Message,
  hash: string | null,
): Promise<void> {
  const { id, room, seq, sender, text, at, cid, replyTo, cause, kind, hops, attachments } = message;
  await sql.run(
    `INSERT INTO messages
       (id, room_id, seq, sender_id, text, at, cid, content_hash, reply_to, cause, kind, hops,
        attachments)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[id, room, seq, sender.id, text, at, orNull(cid), hash, orNull(replyTo), orNull(cause)],
    ...[orNull(kind), orNull(hops)],
    attachments === undefined ? null : JSON.stringify(attachments),
  );
}

/** Tells whether there is a message of an id, in whatever room. */
export async function isMessageStored(sql: Sql, id: string): Promise<boolean> {
  return (await sql.get('SELECT 1 AS yes FROM messages WHERE id = ?', id)) !== undefined;
}

/** Reads the messages of a room before a position, newest first. */
export function messagesBefore(
  sql: Sql,
  room: string,
  before: number,
  limit: number,
): Promise<Message[]> {
  return page(sql, 'e.seq < ? ORDER BY e.seq DESC LIMIT ?', room, before, limit);
}

/** Reads the messages of a room after a position, oldest first. */
export function messagesAfter(
  sql: Sql,
  room: string,
  after: number,
  limit: number,
): Promise<Message[]> {
  return page(sql, 'e.seq > ? ORDER BY e.seq LIMIT ?', room, after, limit);
}

/** Reads the messages that the events of a part of a log are about, by their ids. */
export async function messagesOfEvents(
  sql: Sql,
  room: string,
  after: number,
  last: number,
): Promise<Map<string, Message>> {
  const within = 'e.room_id = ? AND e.seq > ? AND e.seq <= ?';
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
      WHERE e.room_id = ? AND e.type = 'message.created' AND e.seq >= ? AND e.seq <= ?
      ORDER BY r.emoji, r.seq`,
    room,
    Math.min(...seqs),
    Math.max(...seqs),
  );
  const grouped = groupReactions(reactions);
  return rows.map((row) => toMessage(row, grouped.get(row.id)));
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
