import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Message } from '../protocol/models.js';
import { countChars } from '../protocol/names.js';
import { RoomLog } from '../rooms/room-log.js';
import { findRoom, requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { toUser, type Actor, type Caller } from '../users/actor.js';
import { contentHash } from './content-hash.js';
import { MessageEntity } from './message.entity.js';
import { messageId } from './message-id.js';
import { findMessage } from './message-rows.js';
import { ReactionEntity } from './reaction.entity.js';

type Send = CommandData<'message.send'>;

/** Messages: sent, edited and deleted (P-6). */
@Injectable()
export class MessagesService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomLog) private readonly log: RoomLog,
  ) {}

  /**
   * Stores a message, once for each cid of a sender in a room (P-6.2, P-6.3).
   *
   * `refusal` is why the sender may not send now; a repeat is answered all the same.
   */
  async send(
    { actor, placed }: Caller,
    data: Send,
    refusal?: ProtocolError,
  ): Promise<ReplyData<'message.send'>> {
    refuseOwnLog(data.room);
    const text = this.checkText(data.text);
    const hash = data.cid === undefined ? null : contentHash(text, data.replyTo);
    return this.writer.run(async (tx) => {
      const earlier = await this.findRepeat(tx.sql, actor, data, hash);
      if (earlier !== null) {
        await requireMember(tx.sql, data.room, actor.id);
        return { message: earlier, duplicate: true };
      }
      if (refusal !== undefined) throw refusal;
      return { message: await this.insert(tx, actor, { ...data, text }, hash), duplicate: false };
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

  private async findRepeat(
    sql: Sql,
    actor: Actor,
    { room, cid }: Send,
    hash: string | null,
  ): Promise<Message | null> {
    if (cid === undefined) return null;
    const id = messageId(room, actor.id, cid);
    const row = await sql.get<{ content_hash: string }>(
      'SELECT content_hash FROM messages WHERE id = ?',
      id,
    );
    if (row === undefined) return null;
    if (row.content_hash !== hash) throw new ProtocolError('idempotency_conflict');
    return findMessage(sql, room, id);
  }

  /** The path of every message: prepared statements, as few as it takes. */
  private async insert(
    tx: WriteTransaction,
    actor: Actor,
    data: Send,
    hash: string | null,
  ): Promise<Message> {
    const { room, text, cid, replyTo, cause, kind } = data;
    const place = await this.log.getNextPlaceFor(tx, room, actor.id);
    const [, causing] = await requireMessages(tx, room, [replyTo, cause]);
    const hops = actor.kind === 'bot' ? (causing?.hops ?? 0) + 1 : null;
    const { seq, at } = place;
    const id = messageId(room, actor.id, cid);
    await tx.sql.run(
      `INSERT INTO messages
         (id, room_id, seq, sender_id, text, at, cid, content_hash, reply_to, cause, kind, hops)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, room, seq, actor.id, text, at, orNull(cid), hash, orNull(replyTo), orNull(cause)],
      ...[orNull(kind), hops],
    );
    const message: Message = {
      ...{ id, room, seq, sender: toUser(actor), text, at },
      ...given(data),
      ...(hops === null ? {} : { hops }),
      reactions: [],
    };
    await this.log.appendMessage(tx, room, place, 'message.created', message);
    return message;
  }

  private async getForChange(
    tx: WriteTransaction,
    actor: Actor,
    { room, message }: { room: string; message: string },
  ): Promise<Message> {
    await requireMember(tx.sql, room, actor.id);
    const found = await findMessage(tx.sql, room, message);
    if (found === null) throw noSuchMessage();
    return found;
  }

  private checkText(text: string): string {
    const limit = this.config.limits.textChars;
    if (countChars(text) > limit) throw new ProtocolError('too_long', { details: { limit } });
    return text.toWellFormed();
  }
}

function orNull(value: string | undefined): string | null {
  return value ?? null;
}

function given({ cid, replyTo, cause, kind }: Send): Partial<Message> {
  return {
    ...(cid === undefined ? {} : { cid }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(cause === undefined ? {} : { cause }),
    ...(kind === undefined ? {} : { kind }),
  };
}

async function requireMessages(
  { sql }: WriteTransaction,
  room: string,
  ids: readonly (string | undefined)[],
): Promise<(Message | undefined)[]> {
  const found: (Message | undefined)[] = [];
  for (const id of ids) {
    const message = id === undefined ? undefined : await findMessage(sql, room, id);
    if (message === null) throw noSuchMessage();
    found.push(message);
  }
  return found;
}

/** Makes the error for a message that is not in the room. */
export function noSuchMessage(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such message in this room.' });
}
