import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Message, Reaction } from '../protocol/models.js';
import { RoomLog } from '../store/room-log.js';
import { refuseOwnLog, requireAccess, requireMay } from '../rooms/policy.js';
import type { Access } from '../store/room-rows.js';
import type { Actor, Caller } from '../store/actor.js';
import { findMessage } from '../store/message-rows.js';
import { noSuchMessage } from './messages.service.js';
import { ReactionEntity } from '../store/reaction.entity.js';

type React = CommandData<'message.react'>;

/** Reactions to messages (P-6.9). */
@Injectable()
export class ReactionsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly log: RoomLog,
  ) {}

  /** Sets a reaction of the caller; setting it again changes nothing. */
  async add({ actor, onQueued, fence }: Caller, data: React): Promise<ReplyData<'message.react'>> {
    refuseOwnLog(data.room);
    return this.writer.run(
      [data.room],
      async (tx) => {
        await fence?.(tx);
        const { message, access } = await this.getMessage(tx, actor, data);
        const { emoji } = data;
        const same = message.reactions.find((reaction) => reaction.emoji === emoji);
        requireMay('react', access);
        if (same?.users.includes(actor.id) === true) return { message, changed: false };
        this.checkLimits(message, same !== undefined);
        const body = { message: message.id, emoji, user: actor.id };
        const changed = await this.append(tx, 'reaction.added', data.room, body, message);
        await tx.manager.insert(ReactionEntity, {
          messageId: message.id,
          emoji,
          userId: actor.id,
          seq: changed.seq,
        });
        return { message: changed.message, changed: true };
      },
      onQueued,
    );
  }

  /** Removes a reaction of the caller; a missing one changes nothing. */
  async remove({ actor, onQueued }: Caller, data: React): Promise<ReplyData<'message.unreact'>> {
    refuseOwnLog(data.room);
    return this.writer.run(
      [data.room],
      async (tx) => {
        const { message, access } = await this.getMessage(tx, actor, data);
        const { emoji } = data;
        const same = message.reactions.find((reaction) => reaction.emoji === emoji);
        requireMay('unreact', access);
        if (same?.users.includes(actor.id) !== true) return { message, changed: false };
        const key = { messageId: message.id, emoji, userId: actor.id };
        await tx.manager.delete(ReactionEntity, key);
        const body = { message: message.id, emoji, user: actor.id };
        const changed = await this.append(tx, 'reaction.removed', data.room, body, message);
        return { message: changed.message, changed: true };
      },
      onQueued,
    );
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

  private async getMessage(
    tx: WriteTransaction,
    actor: Actor,
    data: React,
  ): Promise<{ message: Message; access: Access }> {
    const access = await requireAccess(tx.sql, 'read', data.room, actor.id);
    const message = await findMessage(tx.sql, data.room, data.message);
    if (message === null) throw noSuchMessage();
    if (message.deletedAt !== undefined) throw new ProtocolError('message_deleted');
    return { message, access };
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

/** Returns a message with one more reaction, as after `reaction.added` (P-5.9). */
function withReaction(message: Message, emoji: string, user: string): Message {
  return withUsers(message, emoji, (users) => [...users, user]);
}

/** Returns a message with one reaction fewer, as after `reaction.removed` (P-5.9). */
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

/** Compares emoji as P-6.9 orders them: like UTF-8 and the database, but not like UTF-16. */
function byCodePoints(a: Reaction, b: Reaction): number {
  return Buffer.compare(Buffer.from(a.emoji), Buffer.from(b.emoji));
}

function limitReached(limit: string, value: number): ProtocolError {
  return new ProtocolError('limit_reached', { details: { limit, value } });
}
