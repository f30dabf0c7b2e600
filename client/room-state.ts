import type { EventData, LogEvent } from '#src/protocol/events.js';
import type { Member, Message, Position, Room, RoomCut, User } from '#src/protocol/models.js';

import type { RoomEvent } from './chat-events.js';
import { orderOfEvent } from './room-cursor.js';

/** The effect of an event on a {@link RoomState}. */
export type Applied =
  /** The event was the next one. */
  | 'applied'
  /** The event was known already, or is about another room. */
  | 'ignored'
  /** Events before this one are missing: the state needs a new cut. */
  | 'missing';

/** Callbacks for the changes of a {@link RoomState}; each is called after the change. */
export interface RoomStateListener {
  /** Everything was replaced by a cut. */
  reset?(): void;
  /** `count` messages were inserted at `index` of `messages`. */
  messagesAdded?(index: number, count: number): void;
  /** A message was edited, deleted or reacted to, or its sender was renamed. */
  messageChanged?(message: Message): void;
  /** The oldest messages were dropped. */
  messagesDropped?(messages: readonly Message[]): void;
  /** Members, names or presence changed. */
  membersChanged?(): void;
  /** The title or another property of the room changed. */
  infoChanged?(): void;
}

/**
 * The state of one room: its members, its latest messages with their reactions, and its presence.
 *
 * It starts from a cut, which `room.join` and `room.sync` return and which a `gap` may carry, and
 * applies the events that follow (P-5.9).
 *
 * ```js
 * const room = new RoomState({ messagesAdded: render, reset: render });
 * chat.on('event', (event) => room.apply(event));
 * chat.on('gap', ({ cut }) => cut?.room === room.info?.id && room.reset(cut));
 * room.reset(await chat.call('room.join', { room: 'general' }));
 * ```
 */
export class RoomState {
  /** Position of the last applied event; null before the first cut. */
  position: Position | null = null;
  /** Properties of the room; null before the first cut. */
  info: Room | null = null;
  /** Members by user id. A large room lists only some of its members. */
  members = new Map<string, Member>();
  /** Messages in the order of the log, oldest first. */
  messages: Message[] = [];
  /** Whether the server has messages older than these. */
  hasMore = false;
  /** Ids of the users who are online; null in a room that is too large for names (P-7.2). */
  online: Set<string> | null = new Set();
  /** Number of users who are online. */
  onlineCount = 0;
  private readonly messagesById = new Map<string, Message>();

  constructor(private readonly listener: RoomStateListener = {}) {}

  /** Replaces everything by a cut. */
  reset({ epoch, seq, info, members, messages, hasMore, presence }: RoomCut): void {
    this.position = { epoch, seq };
    this.info = info;
    this.members = new Map(members.map((member) => [member.user.id, member]));
    this.messages = [...messages];
    this.messagesById.clear();
    for (const message of messages) this.messagesById.set(message.id, message);
    this.hasMore = hasMore;
    this.setPresence(presence);
    this.listener.reset?.();
    this.listener.infoChanged?.();
  }

  /** Applies an event of the room; events of other rooms and unknown events change nothing. */
  apply(event: RoomEvent): Applied {
    if (this.position === null || event.data.room !== this.info?.id) return 'ignored';
    if (event.event === 'presence') this.applyPresence(event.data);
    return 'seq' in event.data ? this.applyLogged(event as LogEvent) : 'applied';
  }

  /**
   * Applies an event of the log of the room by its position alone.
   *
   * Unlike {@link apply} it does not compare the id of the room.
   */
  applyLogged(event: LogEvent): Applied {
    if (this.position === null) return 'missing';
    const order = orderOfEvent(this.position.seq, event.data);
    if (order !== 'next') return order === 'old' ? 'ignored' : 'missing';
    this.position = { ...this.position, seq: event.data.seq };
    this.fold(event);
    return 'applied';
  }

  /** Returns a message by its id; undefined if it is not among `messages`. */
  find(id: string): Message | undefined {
    return this.messagesById.get(id);
  }

  /** Adds older messages, which `message.history` returns, before the others. */
  prepend(messages: readonly Message[], hasMore: boolean): void {
    const older = messages.filter(({ id }) => !this.messagesById.has(id));
    for (const message of older) this.messagesById.set(message.id, message);
    this.messages.unshift(...older);
    this.hasMore = hasMore;
    this.listener.messagesAdded?.(0, older.length);
  }

  /** Adds the message of a reply to `message.send`; its event may arrive before or after. */
  addSent(message: Message): void {
    if (!this.messagesById.has(message.id)) this.insert(message);
  }

  /** Replaces the presence by that of a cut, such as the one that `room.sync` returns. */
  setPresence({ online, count }: RoomCut['presence']): void {
    this.online = online === undefined ? null : new Set(online);
    this.onlineCount = count;
    this.listener.membersChanged?.();
  }

  /** Drops the oldest messages and keeps the latest `count`; `message.history` returns them again. */
  keepLatest(count: number): void {
    if (this.messages.length <= count) return;
    const dropped = this.messages.splice(0, this.messages.length - count);
    for (const { id } of dropped) this.messagesById.delete(id);
    this.hasMore = true;
    this.listener.messagesDropped?.(dropped);
  }

  private applyPresence({ online, offline, count }: EventData<'presence'>): void {
    // Above 100 members an event has only the count; names come again with the next cut (P-7.2).
    if (online === undefined && offline === undefined) this.online = null;
    for (const id of online ?? []) this.online?.add(id);
    for (const id of offline ?? []) this.online?.delete(id);
    this.onlineCount = count;
    this.listener.membersChanged?.();
  }

  private fold(event: LogEvent): void {
    switch (event.event) {
      case 'room.created':
      case 'room.updated':
        this.info = event.data.info;
        this.listener.infoChanged?.();
        break;
      case 'member.joined':
        this.addMember(event.data);
        break;
      case 'member.left':
        this.members.delete(event.data.user.id);
        this.online?.delete(event.data.user.id);
        this.setMemberCount(event.data.memberCount);
        break;
      case 'user.updated':
        this.rename(event.data.user);
        break;
      case 'message.created':
      case 'message.edited':
      case 'message.deleted':
        this.putMessage(event);
        break;
      case 'reaction.added':
      case 'reaction.removed':
        this.react(event.data, event.event === 'reaction.added');
        break;
      case 'dm.opened':
      case 'user.blocked':
      case 'user.unblocked':
        // Events of the log of a user, which say nothing about a room.
        break;
    }
  }

  private addMember({ member, memberCount }: EventData<'member.joined'>): void {
    this.members.set(member.user.id, member);
    // A user who was away may have another name now.
    this.rename(member.user);
    this.setMemberCount(memberCount);
  }

  private setMemberCount(memberCount: number): void {
    if (this.info !== null) this.info = { ...this.info, memberCount };
    this.listener.membersChanged?.();
  }

  private rename(user: User): void {
    const member = this.members.get(user.id);
    if (member !== undefined) this.members.set(user.id, { ...member, user });
    for (const message of [...this.messages]) {
      const { id, name } = message.sender;
      if (id === user.id && name !== user.name) this.replace({ ...message, sender: user });
    }
    this.listener.membersChanged?.();
  }

  private putMessage({
    event,
    data: { message },
  }: LogEvent & { event: `message.${string}` }): void {
    if (this.messagesById.has(message.id)) this.replace(message);
    else if (event === 'message.created') this.insert(message);
  }

  private insert(message: Message): void {
    let index = this.messages.length;
    while (index > 0 && (this.messages[index - 1]?.seq ?? 0) > message.seq) index--;
    // A message that is older than all others comes with the history.
    if (index === 0 && this.hasMore) return;
    this.messages.splice(index, 0, message);
    this.messagesById.set(message.id, message);
    this.listener.messagesAdded?.(index, 1);
  }

  private replace(message: Message): void {
    const index = this.messages.findLastIndex(({ id }) => id === message.id);
    if (index === -1) return;
    this.messages[index] = message;
    this.messagesById.set(message.id, message);
    this.listener.messageChanged?.(message);
  }

  private react({ message: id, ...reaction }: EventData<'reaction.added'>, isAdded: boolean): void {
    const message = this.find(id);
    if (message === undefined || message.deletedAt !== undefined) return;
    this.replace({ ...message, reactions: withReaction(message.reactions, reaction, isAdded) });
  }
}

/** Returns reactions in an order that does not depend on the order of the events (P-5.9). */
function withReaction(
  reactions: Message['reactions'],
  { emoji, user }: { readonly emoji: string; readonly user: string },
  isAdded: boolean,
): Message['reactions'] {
  const before = reactions.find((reaction) => reaction.emoji === emoji)?.users ?? [];
  const remaining = before.filter((id) => id !== user);
  const users = isAdded ? [...remaining, user] : remaining;
  const others = reactions.filter((reaction) => reaction.emoji !== emoji);
  if (users.length === 0) return others;
  return [...others, { emoji, users }].sort((a, b) => compareCodePoints(a.emoji, b.emoji));
}

/** Compares as the server does; the operator `<` compares UTF-16 code units. */
function compareCodePoints(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0) ?? 0);
  const right = Array.from(b, (char) => char.codePointAt(0) ?? 0);
  const index = left.findIndex((point, i) => point !== right[i]);
  if (index === -1) return left.length - right.length;
  return (left[index] ?? 0) - (right[index] ?? -1);
}
