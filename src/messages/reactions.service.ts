import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Message, Reaction } from '../protocol/models.js';
import { requireUnblocked } from '../rooms/direct-rows.js';
import { RoomLog } from '../rooms/room-log.js';
import { requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import type { Actor, Caller } from '../users/actor.js';
import { findMessage } from './message-rows.js';
import { noSuchMessage } from './messages.service.js';
import { ReactionEntity } from './reaction.entity.js';

type React = CommandData<'message.react'>;

/** Reactions to messages (P-6.9). */
@Injectable()
export class ReactionsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomLog) private readonly log: RoomLog,
  ) {}

  /** Sets a reaction of the caller; setting it again changes nothing. */
  async add({ actor, placed }: Caller, data: React): Promise<ReplyData<'message.react'>> {
    refuseOwnLog(data.room);
    return this.writer.run(async (tx) => {
      const message = await this.getMessage(tx, actor, data);
      const { emoji } = data;
      const same = message.reactions.find((reaction) => reaction.emoji === emoji);
      await requireUnblocked(tx.sql, data.room, actor.id);
      if (same?.users.includes(actor.id) === true) return { message, changed: false };
      this.checkLimits(message, same !== undefined);
      const body = { message: message.id, emoji, user: actor.id };
      const place = await this.append(tx, 'reaction.added', data.room, body, message);
      await tx.manager.insert(ReactionEntity, {
        messageId: message.id,
        emoji,
        userId: actor.id,
        seq: place.seq,
      });
      return { message: place.message, changed: true };
    }, placed);
  }

  /** Takes a reaction of the caller back; a missing one changes nothing. */
  async remove({ actor, placed }: Caller, data: React): Promise<ReplyData<'message.unreact'>> {
    refuseOwnLog(data.room);
    return this.writer.run(async (tx) => {
      const message = await this.getMessage(tx, actor, data);
      const { emoji } = data;
      const same = message.reactions.find((reaction) => reaction.emoji === emoji);
      if (same?.users.includes(actor.id) !== true) return { message, changed: false };
      const key = { messageId: message.id, emoji, userId: actor.id };
      await tx.manager.delete(ReactionEntity, key);
      const body = { message: message.id, emoji, user: actor.id };
      const place = await this.append(tx, 'reaction.removed', data.room, body, message);
      return { message: place.message, changed: true };
    }, placed);
  }

  private async append(
    tx: WriteTransaction,
    type: 'reaction.added' | 'reaction.removed',
    room: string,
    body: { message: string; emoji: string; user: string },
    before: Message,
  ): Promise<{ seq: number; message: Message }> {
    const change = type === 'reaction.added' ? withReaction : withoutReaction;
    const message = change(before, body.emoji, body.user);
    const { seq } = await this.log.append(tx, room, type, body, message);
    return { seq, message };
  }

  private async getMessage(tx: WriteTransaction, actor: Actor, data: React): Promise<Message> {
    await requireMember(tx.sql, data.room, actor.id);
    const message = await findMessage(tx.sql, data.room, data.message);
    if (message === null) throw noSuchMessage();
    if (message.deletedAt !== undefined) throw new ProtocolError('message_deleted');
    return message;
  }

  private checkLimits({ reactions }: Message, knownEmoji: boolean): void {
    const { emojiPerMessage, reactionsPerMessage } = this.config.limits;
    const count = reactions.reduce((sum, { users }) => sum + users.length, 0);
    if (count >= reactionsPerMessage)
      throw limitReached('reactionsPerMessage', reactionsPerMessage);
    if (!knownEmoji && reactions.length >= emojiPerMessage) {
      throw limitReached('emojiPerMessage', emojiPerMessage);
    }
  }
}

/** Gives a message with one more reaction; the fold of `reaction.added` (P-5.9). */
function withReaction(message: Message, emoji: string, user: string): Message {
  return withUsers(message, emoji, (users) => [...users, user]);
}

/** Gives a message with one reaction less; the fold of `reaction.removed` (P-5.9). */
function withoutReaction(message: Message, emoji: string, user: string): Message {
  return withUsers(message, emoji, (users) => users.filter((id) => id !== user));
}

function withUsers(
  message: Message,
  emoji: string,
  change: (users: readonly string[]) => string[],
): Message {
  const others = message.reactions.filter((reaction) => reaction.emoji !== emoji);
  const users = change(message.reactions.find((one) => one.emoji === emoji)?.users ?? []);
  if (users.length === 0) return { ...message, reactions: others };
  return { ...message, reactions: [...others, { emoji, users }].sort(byCodePoints) };
}

/** The order of P-6.9, which is that of UTF-8 and of the database, but not that of UTF-16. */
function byCodePoints(a: Reaction, b: Reaction): number {
  return Buffer.compare(Buffer.from(a.emoji), Buffer.from(b.emoji));
}

function limitReached(limit: string, value: number): ProtocolError {
  return new ProtocolError('limit_reached', { details: { limit, value } });
}
