import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { StoredFile } from '../files/stored-file.js';
import type { UploadLimit } from '../files/upload-limit.js';
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
import { MessageFiles } from './message-files.js';
import { messageId } from './message-id.js';
import { findMessage, insertMessage, isMessageStored } from './message-rows.js';
import { ReactionEntity } from './reaction.entity.js';

type Send = CommandData<'message.send'>;
type Sent = ReplyData<'message.send'>;

/** A message to be stored, with its id, the hash of its content and the hops of what led to it. */
type Given = Omit<Send, 'text'> & {
  readonly id: string;
  readonly text: string;
  readonly hash: string | null;
  readonly givenHops: number;
  /** The image of the message, stored. */
  readonly file?: StoredFile | undefined;
};

/** Messages: sent, edited and deleted (P-6). */
@Injectable()
export class MessagesService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(MessageFiles) private readonly files: MessageFiles,
    @Inject(DirectRooms) private readonly directs: DirectRooms,
  ) {}

  /** Code points that a message has at most (P-9.3). */
  get textChars(): number {
    return this.config.limits.textChars;
  }

  /**
   * Stores a message, once for each cid of a sender in a room (P-6.2, P-6.3).
   *
   * `refusal` is why the sender may not send now; a repeat is answered all the same. `limit` is
   * what an image in the message is charged to.
   */
  async send(
    { actor, placed, givenHops = 0 }: Caller,
    data: Send,
    refusal?: ProtocolError,
    limit?: UploadLimit,
  ): Promise<Sent> {
    const { room, cid, image } = data;
    refuseOwnLog(room);
    const text = this.checkText(data.text ?? '');
    this.files.check(data);
    const hash = cid === undefined ? null : contentHash({ ...data, text });
    const given = { ...data, text, id: messageId(room, actor.id, cid), hash, givenHops };
    const commit = (file?: StoredFile) =>
      this.writer.run((tx) => this.sendIn(tx, actor, { ...given, file }, refusal), placed);
    if (image === undefined || refusal !== undefined) return commit();
    const isNew = await this.files.isNew(actor.id, { room, message: given.id });
    return isNew ? this.files.bring(actor.id, image, limit, commit) : commit();
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
    const { gone, ...reply } = await this.writer.run(async (tx) => {
      const message = await this.getForChange(tx, actor, data);
      const owner = (await findRoom(tx.sql, data.room))?.info.owner;
      if (message.sender.id !== actor.id && owner !== actor.id) {
        const who = 'Only its sender or the owner of the room may delete a message.';
        throw new ProtocolError('forbidden', { message: who });
      }
      if (message.deletedAt !== undefined) return { message, gone: [] };
      return this.bury(tx, actor, message);
    }, placed);
    await this.files.removeBytes(gone);
    return reply;
  }

  private async sendIn(
    tx: WriteTransaction,
    actor: Actor,
    given: Given,
    refusal: ProtocolError | undefined,
  ): Promise<Sent> {
    const message = refusal === undefined ? await this.insert(tx, actor, given) : null;
    if (message !== null) return { message, duplicate: false };
    await requireMember(tx.sql, given.room, actor.id);
    return { message: await getRepeated(tx.sql, given, refusal), duplicate: true };
  }

  /** Makes a message a tombstone; gives the files whose bytes are to be removed. */
  private async bury(
    tx: WriteTransaction,
    actor: Actor,
    { attachments, ...message }: Message,
  ): Promise<{ message: Message; gone: string[] }> {
    const place = await this.log.getNextPlace(tx, message.room);
    const deleted = { deletedAt: place.at, deletedBy: actor.id };
    const tombstone: Message = { ...message, ...deleted, text: '', reactions: [] };
    const changes = { ...deleted, text: '', attachments: null };
    await tx.manager.update(MessageEntity, { id: message.id }, changes);
    await tx.manager.delete(ReactionEntity, { messageId: message.id });
    const gone = attachments === undefined ? [] : await this.files.forget(tx, message.id);
    await this.log.appendMessage(tx, message.room, place, 'message.deleted', tombstone);
    return { message: tombstone, gone };
  }

  /** The path of every message: prepared statements, as few as it takes; null if it is not new. */
  private async insert(tx: WriteTransaction, actor: Actor, given: Given): Promise<Message | null> {
    const { room, id, hash } = given;
    const named = await this.findFiles(tx, actor, given);
    if (named === null) return null;
    const causing = await this.findNamed(tx.sql, actor, given);
    const before = causing === undefined ? given.givenHops : (causing.hops ?? 0);
    const place = await this.findPlace(tx, actor, given);
    if (place === null) return null;
    const message = newMessage(actor, given, place);
    if (actor.kind === 'bot') message.hops = before + 1;
    const { file } = given;
    if (file !== undefined || named.length > 0) {
      message.attachments = await this.files.take(tx, named, file, { room, message: id });
    }
    await insertMessage(tx.sql, message, hash);
    await this.log.appendMessage(tx, room, place, 'message.created', message);
    return message;
  }

  /** Finds the files that a new message is to take; null if the message is not new. */
  private async findFiles(
    { sql }: WriteTransaction,
    actor: Actor,
    { id, room, files }: Given,
  ): Promise<StoredFile[] | null> {
    if (files === undefined) return [];
    await requireMember(sql, room, actor.id);
    // A repeat names files that are taken.
    if (await isMessageStored(sql, id)) return null;
    return this.files.find(sql, files, actor.id);
  }

  /**
   * Finds no place for who is no member, nor for what is stored already: a repeat is answered in
   * any case, also while one of the two has blocked the other (P-8.3).
   */
  private async findPlace(tx: WriteTransaction, actor: Actor, given: Given): Promise<Place | null> {
    const { room, id } = given;
    if (kindOfRoom(room) === 'direct' && !(await isMessageStored(tx.sql, id))) {
      await this.directs.prepareMessage(tx, room, actor);
    }
    return this.log.findPlaceForMessage(tx, room, actor.id, id);
  }

  /** Requires the messages that one names, before anything is written; gives its cause. */
  private async findNamed(
    sql: Sql,
    actor: Actor,
    { room, replyTo, cause }: Given,
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

/** One field after the other, since objects that are spread cost as much as a statement. */
function newMessage(actor: Actor, given: Given, { seq, at }: Place): Message {
  const { id, room, text, cid, replyTo, cause, kind } = given;
  const message: Message = { id, room, seq, sender: toUser(actor), text, at, reactions: [] };
  if (cid !== undefined) message.cid = cid;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (cause !== undefined) message.cause = cause;
  if (kind !== undefined) message.kind = kind;
  return message;
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
