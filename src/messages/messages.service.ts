import { hash } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Sql } from '../database/sql.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import type { StoredFile } from '../store/stored-file.js';
import type { UploadLimit } from '../limits/hourly-rates.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Message } from '../protocol/models.js';
import { countChars, isDirectRoomId } from '../protocol/names.js';
import { DirectRooms } from '../rooms/direct-rooms.js';
import { RoomLog, type LogPosition } from '../store/room-log.js';
import { refuseOwnLog, requireAccess, requireMay } from '../rooms/policy.js';
import type { Access } from '../store/room-rows.js';
import { declareOwnLog, type Actor, type Caller } from '../store/actor.js';
import { MessageEntity } from '../store/message.entity.js';
import { MessageFiles } from './message-files.js';
import { messageId } from './message-id.js';
import { newMessage, type Identified, type NewMessage } from './new-message.js';
import { isPlain, PlainMessage } from './plain-message.js';
import { findMessage, hashMessage, insertMessage, isMessageStored } from '../store/message-rows.js';
import { ReactionEntity } from '../store/reaction.entity.js';

type Send = CommandData<'message.send'>;
type Sent = ReplyData<'message.send'>;

/** Sends, edits and deletes messages (P-6). */
@Injectable()
export class MessagesService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly log: RoomLog,
    private readonly files: MessageFiles,
    private readonly directs: DirectRooms,
  ) {}

  /** Maximum number of code points of a message (P-9.3). */
  get textChars(): number {
    return this.config.limits.textChars;
  }

  /**
   * Stores a message, once per cid of a sender in a room (P-6.2, P-6.3).
   *
   * An image in the message is charged to `limit`.
   */
  async send(
    { actor, onQueued, assumedHops = 0, fence }: Caller,
    data: Send,
    limit?: UploadLimit,
  ): Promise<Sent> {
    const { room, image } = data;
    const input = { ...this.identify(actor, data), assumedHops };
    // The own log of the sender guards the files, which are attached once.
    const logs = data.files === undefined ? [room] : [room, declareOwnLog(actor)];
    const isShort = isPlain(data) && fence === undefined;
    const short = isShort ? new PlainMessage(this.log, actor, input) : undefined;
    const send = async (tx: WriteTransaction, file?: StoredFile) => {
      await fence?.(tx);
      return this.sendIn(tx, actor, { ...input, file });
    };
    const commit = (file?: StoredFile) =>
      this.writer.run(logs, (tx) => send(tx, file), onQueued, short);
    if (image === undefined) return commit();
    const isNew = await this.files.isNew(actor.id, { room, message: input.id });
    return isNew ? this.files.ingestImage(actor.id, image, limit, commit) : commit();
  }

  /**
   * Finds the message that is stored under the same cid, without storing this one (P-6.3); null if
   * there is none.
   *
   * Runs in the writer, so that it finds messages that wait for the same commit.
   *
   * @throws ProtocolError `idempotency_conflict` if that message has different content
   */
  async findRepeat({ actor, onQueued }: Caller, data: Send): Promise<Message | null> {
    const input = this.identify(actor, data);
    const find = async ({ sql }: WriteTransaction): Promise<Message | null> => {
      await requireAccess(sql, 'read', input.room, actor.id);
      return findRepeated(sql, input);
    };
    return this.writer.run([], find, onQueued);
  }

  /** Changes the text of the caller's own message (P-6.7). */
  async edit(
    { actor, onQueued, fence }: Caller,
    data: CommandData<'message.edit'>,
  ): Promise<ReplyData<'message.edit'>> {
    refuseOwnLog(data.room);
    const text = this.checkText(data.text);
    return this.writer.run(
      [data.room],
      async (tx) => {
        await fence?.(tx);
        const { message, isOwn, access } = await this.getForChange(tx, actor, data);
        requireMay(isOwn ? 'edit' : 'editOthers', access);
        if (message.deletedAt !== undefined) throw new ProtocolError('message_deleted');
        if (message.text === text) return { message };
        const position = await this.log.getNextPosition(tx, data.room);
        const edited = { ...message, text, editedAt: position.at };
        const changes = { text, editedAt: position.at, hash: hashMessage(edited) };
        await tx.manager.update(MessageEntity, { id: message.id }, changes);
        await this.log.appendMessage(tx, data.room, position, 'message.edited', edited);
        return { message: edited };
      },
      onQueued,
    );
  }

  /** Replaces a message by a tombstone (P-6.8). */
  async delete(
    { actor, onQueued }: Caller,
    data: CommandData<'message.delete'>,
  ): Promise<ReplyData<'message.delete'>> {
    refuseOwnLog(data.room);
    const remove = async (tx: WriteTransaction) => {
      const { message, isOwn, access } = await this.getForChange(tx, actor, data);
      requireMay(isOwn ? 'delete' : 'deleteOthers', access);
      if (message.deletedAt !== undefined) return { message, gone: [] };
      return this.toTombstone(tx, actor, message);
    };
    const { gone, ...reply } = await this.writer.run([data.room], remove, onQueued);
    await this.files.removeBytes(gone);
    return reply;
  }

  /** Checks a message; adds its id and the hash of its content. */
  private identify(actor: Actor, data: Send): Identified {
    const { room, cid } = data;
    refuseOwnLog(room);
    const text = this.checkText(data.text ?? '');
    this.files.check(data);
    const digest = cid === undefined ? null : contentHash({ ...data, text });
    return { ...data, text, id: messageId(room, actor.id, cid), hash: digest };
  }

  private async sendIn(tx: WriteTransaction, actor: Actor, input: NewMessage): Promise<Sent> {
    const message = await this.insert(tx, actor, input);
    if (message !== null) return { message, duplicate: false };
    await requireAccess(tx.sql, 'read', input.room, actor.id);
    const repeated = await findRepeated(tx.sql, input);
    if (repeated === null) throw new Error(`The room ${input.room} accepts no messages`);
    return { message: repeated, duplicate: true };
  }

  /** Replaces a message by a tombstone; returns the files whose bytes are to be removed. */
  private async toTombstone(
    tx: WriteTransaction,
    actor: Actor,
    { attachments, ...message }: Message,
  ): Promise<{ message: Message; gone: string[] }> {
    const position = await this.log.getNextPosition(tx, message.room);
    const deleted = { deletedAt: position.at, deletedBy: actor.id };
    const tombstone: Message = { ...message, ...deleted, text: '', reactions: [] };
    const changes = { ...deleted, text: '', attachments: null, hash: hashMessage(tombstone) };
    await tx.manager.update(MessageEntity, { id: message.id }, changes);
    await tx.manager.delete(ReactionEntity, { messageId: message.id });
    const gone = attachments === undefined ? [] : await this.files.forget(tx, message.id);
    await this.log.appendMessage(tx, message.room, position, 'message.deleted', tombstone);
    return { message: tombstone, gone };
  }

  /** Stores a message, in as few statements as possible; returns null if it is not new. */
  private async insert(
    tx: WriteTransaction,
    actor: Actor,
    input: NewMessage,
  ): Promise<Message | null> {
    const { room, id, hash } = input;
    const named = await this.findFiles(tx, actor, input);
    if (named === null) return null;
    const causing = await this.findNamed(tx.sql, actor, input);
    const before = causing === undefined ? input.assumedHops : (causing.hops ?? 0);
    const position = await this.reservePosition(tx, actor, input);
    if (position === null) return null;
    const message = newMessage(actor, input, position, before);
    const { file } = input;
    if (file !== undefined || named.length > 0) {
      message.attachments = await this.files.attach(tx, named, file, { room, message: id });
    }
    await insertMessage(tx, message, hash);
    await this.log.appendMessage(tx, room, position, 'message.created', message);
    return message;
  }

  /** Finds the files to attach to a new message; null if the message is not new. */
  private async findFiles(
    tx: WriteTransaction,
    actor: Actor,
    { id, room, files }: NewMessage,
  ): Promise<StoredFile[] | null> {
    if (files === undefined) return [];
    const { sql } = tx;
    await requireAccess(sql, 'read', room, actor.id);
    // A repeat names files that are attached already.
    if (await isMessageStored(sql, id)) return null;
    return this.files.find(tx, files, actor.id);
  }

  /**
   * Reserves the position of a message; returns null if the sender is not a member or the message
   * is already stored. A repeat is answered even while one user has blocked the other (P-8.3).
   */
  private async reservePosition(
    tx: WriteTransaction,
    actor: Actor,
    input: NewMessage,
  ): Promise<LogPosition | null> {
    const { room, id } = input;
    if (isDirectRoomId(room) && !(await isMessageStored(tx.sql, id))) {
      await this.directs.prepareMessage(tx, room, actor);
    }
    return this.log.reserveForMessage(tx, room, actor.id, id);
  }

  /** Requires the messages that a message refers to; returns its cause. */
  private async findNamed(
    sql: Sql,
    actor: Actor,
    { room, replyTo, cause }: NewMessage,
  ): Promise<Message | undefined> {
    if (replyTo === undefined && cause === undefined) return undefined;
    await requireAccess(sql, 'read', room, actor.id);
    if (replyTo !== undefined) await getMessage(sql, room, replyTo);
    return cause === undefined ? undefined : getMessage(sql, room, cause);
  }

  private async getForChange(
    tx: WriteTransaction,
    actor: Actor,
    { room, message }: { room: string; message: string },
  ): Promise<{ message: Message; isOwn: boolean; access: Access }> {
    const access = await requireAccess(tx.sql, 'read', room, actor.id);
    const found = await getMessage(tx.sql, room, message);
    return { message: found, isOwn: found.sender.id === actor.id, access };
  }

  private checkText(text: string): string {
    const limit = this.textChars;
    if (countChars(text) > limit) throw new ProtocolError('too_long', { details: { limit } });
    return text.toWellFormed();
  }
}

/** Returns the hash of what a sender wrote, by which repeats under one cid are compared (P-6.3). */
function contentHash({ text, replyTo, files, image }: Omit<Identified, 'id' | 'hash'>): string {
  const content: unknown[] = [text, replyTo ?? null];
  // Without files and images, the hash is the same as in versions that did not have them.
  if ((files ?? image) !== undefined) content.push(files ?? null, image ?? null);
  return hash('sha256', JSON.stringify(content), 'base64url');
}

/** Finds the message stored under a cid; throws if its content differs (P-6.3). */
async function findRepeated(sql: Sql, { id, room, hash }: Identified): Promise<Message | null> {
  const row = await sql.get<{ content_hash: string | null }>(
    'SELECT content_hash FROM messages WHERE id = $1',
    id,
  );
  if (row === undefined) return null;
  if (row.content_hash !== hash) throw new ProtocolError('idempotency_conflict');
  return getMessage(sql, room, id);
}

async function getMessage(sql: Sql, room: string, id: string): Promise<Message> {
  const message = await findMessage(sql, room, id);
  if (message === null) throw noSuchMessage();
  return message;
}

/** Returns the error for a message that is not in the room. */
export function noSuchMessage(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such message in this room.' });
}
