import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Message } from '../protocol/models.js';
import { countChars, kindOfRoom } from '../protocol/names.js';
import { DirectRooms } from '../rooms/direct-rooms.service.js';
import { requireUnblocked } from '../rooms/direct-rows.js';
import { RoomLog, type Place } from '../rooms/room-log.js';
import { findRoom, requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { toUser, type Actor, type Caller } from '../users/actor.js';
import { contentHash } from './content-hash.js';
import { MessageEntity } from './message.entity.js';
import { messageId } from './message-id.js';
import { findMessage } from './message-rows.js';
import { ReactionEntity } from './reaction.entity.js';

type Send = CommandData<'message.send'>;

/** A message to be stored, with its id, the hash of its content and the hops of what led to it. */
type Given = Send & {
  readonly id: string;
  readonly hash: string | null;
  readonly givenHops: number;
};

/** Messages: sent, edited and deleted (P-6). */
@Injectable()
export class MessagesService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(DirectRooms) private readonly directs: DirectRooms,
  ) {}

  /** Code points that a message has at most (P-9.3). */
  get textChars(): number {
    return this.config.limits.textChars;
  }

  /**
   * Stores a message, once for each cid of a sender in a room (P-6.2, P-6.3).
   *
   * `refusal` is why the sender may not send now; a repeat is answered all the same.
   */
  async send(
    { actor, placed, givenHops = 0 }: Caller,
    data: Send,
    refusal?: ProtocolError,
  ): Promise<ReplyData<'message.send'>> {
    const { room, cid, replyTo } = data;
    refuseOwnLog(room);
    const text = this.checkText(data.text);
    const hash = cid === undefined ? null : contentHash(text, replyTo);
    const given = { ...data, text, id: messageId(room, actor.id, cid), hash, givenHops };
    return this.writer.run(async (tx) => {
      const message = refusal === undefined ? await this.insert(tx, actor, given) : null;
      if (message !== null) return { message, duplicate: false };
      await requireMember(tx.sql, room, actor.id);
      return { message: await getRepeated(tx.sql, given, refusal), duplicate: true };
    }, placed);
  }

  /** Changes the text of the caller's own message (P-6.7). */
  async edit(
    { actor, placed }: Caller,
    data: CommandData<'message.edit'>,
  ): Promise<ReplyData<'message.edit'>> {
    refuseOwnLog(data.room);
    const text = this.checkText(data.text);
    return this.writer.run(async (tx) => {
      const message = await this.getForChange(tx, actor, data);
      if (message.sender.id !== actor.id) {
        throw new ProtocolError('forbidden', { message: 'Only its sender may edit a message.' });
      }
      await requireUnblocked(tx.sql, data.room, actor.id);
      if (message.deletedAt !== undefined) throw new ProtocolError('message_deleted');
      if (message.text === text) return { message };
      const place = await this.log.getNextPlace(tx, data.room);
      const edited = { ...message, text, editedAt: place.at };
      await tx.manager.update(MessageEntity, { id: message.id }, { text, editedAt: place.at });
      await this.log.appendMessage(tx, data.room, place, 'message.edited', edited);
      return { message: edited };
    }, placed);
  }

  /** Leaves a tombstone; the sender or the owner of the room may (P-6.8). */
  async delete(
    { actor, placed }: Caller,
    data: CommandData<'message.delete'>,
  ): Promise<ReplyData<'message.delete'>> {
    refuseOwnLog(data.room);
    return this.writer.run(async (tx) => {
      const message = await this.getForChange(tx, actor, data);
      const owner = (await findRoom(tx.sql, data.room))?.info.owner;
      if (message.sender.id !== actor.id && owner !== actor.id) {
        const who = 'Only its sender or the owner of the room may delete a message.';
        throw new ProtocolError('forbidden', { message: who });
      }
      if (message.deletedAt !== undefined) return { message };
      const place = await this.log.getNextPlace(tx, data.room);
      const gone = { deletedAt: place.at, deletedBy: actor.id };
      const tombstone: Message = { ...message, ...gone, text: '', reactions: [] };
      await tx.manager.update(MessageEntity, { id: message.id }, { ...gone, text: '' });
      await tx.manager.delete(ReactionEntity, { messageId: message.id });
      await this.log.appendMessage(tx, data.room, place, 'message.deleted', tombstone);
      return { message: tombstone };
    }, placed);
  }

  /** The path of every message: prepared statements, as few as it takes; null if it is not new. */
  private async insert(tx: WriteTransaction, actor: Actor, given: Given): Promise<Message | null> {
    const { room, text, cid, replyTo, cause, kind, id, hash } = given;
    const causing = await this.findNamed(tx.sql, actor, given);
    const before = causing === undefined ? given.givenHops : (causing.hops ?? 0);
    const hops = actor.kind === 'bot' ? before + 1 : null;
    const place = await this.findPlace(tx, actor, given);
    if (place === null) return null;
    const { seq, at } = place;
    await tx.sql.run(
      `INSERT INTO messages
         (id, room_id, seq, sender_id, text, at, cid, content_hash, reply_to, cause, kind, hops)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, room, seq, actor.id, text, at, orNull(cid), hash, orNull(replyTo), orNull(cause)],
      ...[orNull(kind), hops],
    );
    const message: Message = { id, room, seq, sender: toUser(actor), text, at, reactions: [] };
    // One by one, since objects that are spread cost as much as a statement.
    if (cid !== undefined) message.cid = cid;
    if (replyTo !== undefined) message.replyTo = replyTo;
    if (cause !== undefined) message.cause = cause;
    if (kind !== undefined) message.kind = kind;
    if (hops !== null) message.hops = hops;
    await this.log.appendMessage(tx, room, place, 'message.created', message);
    return message;
  }

  /** Finds no place for who is no member, nor for what is stored already. */
  private async findPlace(tx: WriteTransaction, actor: Actor, given: Given): Promise<Place | null> {
    const { room, id } = given;
    if (kindOfRoom(room) === 'direct' && (await isNew(tx.sql, given))) {
      await this.directs.prepareMessage(tx, room, actor);
    }
    return this.log.findPlaceForMessage(tx, room, actor.id, id);
  }

  /** Requires the messages that one names, before anything is written; gives its cause. */
  private async findNamed(
    sql: Sql,
    actor: Actor,
    { room, replyTo, cause }: Send,
  ): Promise<Message | undefined> {
    if (replyTo === undefined && cause === undefined) return undefined;
    await requireMember(sql, room, actor.id);
    if (replyTo !== undefined) await getMessage(sql, room, replyTo);
    return cause === undefined ? undefined : getMessage(sql, room, cause);
  }

  private async getForChange(
    tx: WriteTransaction,
    actor: Actor,
    { room, message }: { room: string; message: string },
  ): Promise<Message> {
    await requireMember(tx.sql, room, actor.id);
    return getMessage(tx.sql, room, message);
  }

  private checkText(text: string): string {
    const limit = this.textChars;
    if (countChars(text) > limit) throw new ProtocolError('too_long', { details: { limit } });
    return text.toWellFormed();
  }
}

/** A repeat is answered in any case, also while one of the two has blocked the other (P-8.3). */
async function isNew(sql: Sql, { id, cid }: Given): Promise<boolean> {
  return (
    cid === undefined || (await sql.get('SELECT id FROM messages WHERE id = ?', id)) === undefined
  );
}

function orNull(value: string | undefined): string | null {
  return value ?? null;
}

/** Gives what was stored under a cid before, unless it was something else (P-6.3). */
async function getRepeated(
  sql: Sql,
  { id, room, hash }: Given,
  refusal: ProtocolError | undefined,
): Promise<Message> {
  const row = await sql.get<{ content_hash: string | null }>(
    'SELECT content_hash FROM messages WHERE id = ?',
    id,
  );
  if (row === undefined) throw refusal ?? new Error(`The room ${room} takes no message`);
  if (row.content_hash !== hash) throw new ProtocolError('idempotency_conflict');
  return getMessage(sql, room, id);
}

async function getMessage(sql: Sql, room: string, id: string): Promise<Message> {
  const message = await findMessage(sql, room, id);
  if (message === null) throw noSuchMessage();
  return message;
}

/** Makes the error for a message that is not in the room. */
export function noSuchMessage(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such message in this room.' });
}
