import type { AppendedEvent } from '../database/write-job.js';
import type { LogEvent } from '../protocol/events.js';
import type { Member, Message, Room, User } from '../protocol/models.js';
import type { LoggedEvent } from '../store/room-log.js';
import type { Access } from '../store/room-rows.js';

export const KEPT_EVENTS = 256;

/** The state of a room at one position of its log. */
export interface RoomState {
  readonly epoch: string;
  readonly head: number;
  readonly info: Room;
  readonly members: readonly Member[];
  /** The latest messages, oldest first. */
  readonly messages: readonly Message[];
  /** Whether messages older than those exist. */
  readonly hasMore: boolean;
  /** The latest events, oldest first. */
  readonly events: readonly LoggedEvent[];
}

/**
 * A room in memory, kept at the head of its log.
 *
 * It serves joins, resumes and short replays, so that many clients that return at once cost the
 * database one query for each room and not one for each socket.
 */
export class ActiveRoom {
  readonly id: string;
  readonly epoch: string;
  head: number;
  info: Room;
  hasMore: boolean;
  /** Members by user id, in order of joining. */
  readonly members = new Map<string, Member>();
  /** Senders of messages that are, or were, among the latest. */
  private readonly senders = new Set<string>();
  private readonly ring: LoggedEvent[];
  private latest: Message[];

  constructor(
    state: RoomState,
    private readonly keptMessages: number,
  ) {
    this.id = state.info.id;
    this.epoch = state.epoch;
    this.head = state.head;
    this.info = state.info;
    this.hasMore = state.hasMore;
    for (const member of state.members) this.members.set(member.user.id, member);
    this.latest = [...state.messages];
    this.ring = [...state.events];
    for (const { event } of state.events) this.noteSender(event);
    for (const { sender } of state.messages) this.senders.add(sender.id);
  }

  /** The latest messages, oldest first. */
  get messages(): readonly Message[] {
    return this.latest;
  }

  /** Returns the relation of a user to the room. */
  accessOf(userId: string): Access {
    return {
      kind: this.info.kind,
      isMember: this.members.has(userId),
      isOwner: this.info.owner === userId,
      isParticipant: this.info.users?.some(({ id }) => id === userId) === true,
    };
  }

  /** Returns the members who joined first. */
  firstMembers(count: number): Member[] {
    const first: Member[] = [];
    for (const member of this.members.values()) {
      if (first.length === count) break;
      first.push(member);
    }
    return first;
  }

  /**
   * Applies a committed event; one that was applied before changes nothing.
   *
   * Returns false if earlier events are missing: the room has to be loaded again.
   */
  apply({ event, message }: AppendedEvent): boolean {
    if (event.data.seq <= this.head) return true;
    if (event.data.seq > this.head + 1) return false;
    this.head = event.data.seq;
    if (message !== undefined) this.replaceMessage(message);
    this.fold(event);
    this.noteSender(event);
    this.ring.push({ event, messageId: message?.id ?? null });
    if (this.ring.length > KEPT_EVENTS) this.ring.shift();
    return true;
  }

  /** Returns the events after a position; null if some are not in memory. */
  since(after: number): LogEvent[] | null {
    if (after >= this.head) return [];
    const first = this.ring[0]?.event.data.seq;
    if (first === undefined || first > after + 1) return null;
    return this.ring.slice(after + 1 - first).map(({ event }) => event);
  }

  private fold(event: LogEvent): void {
    switch (event.event) {
      case 'message.created':
        this.latest.push(event.data.message);
        if (this.latest.length > this.keptMessages) {
          this.latest.shift();
          this.hasMore = true;
        }
        break;
      case 'member.joined':
        this.members.set(event.data.member.user.id, event.data.member);
        this.info = { ...this.info, memberCount: event.data.memberCount };
        break;
      case 'member.left':
        this.members.delete(event.data.user.id);
        this.info = { ...this.info, memberCount: event.data.memberCount };
        break;
      case 'room.created':
      case 'room.updated':
        this.info = event.data.info;
        break;
      case 'user.updated':
        this.rename(event.data.user);
        break;
      case 'message.edited':
      case 'message.deleted':
      case 'reaction.added':
      case 'reaction.removed':
      case 'dm.opened':
      case 'user.blocked':
      case 'user.unblocked':
        break;
    }
  }

  /** Applies the new name of a user, who may have left but still have messages here. */
  rename(user: User): void {
    this.renameInInfo(user);
    if (!this.senders.has(user.id) && !this.members.has(user.id)) return;
    const member = this.members.get(user.id);
    if (member !== undefined) this.members.set(user.id, { ...member, user });
    const renamed = new Map<string, Message>();
    for (const message of this.latest) {
      if (message.sender.id === user.id) renamed.set(message.id, { ...message, sender: user });
    }
    this.latest = this.latest.map((message) => renamed.get(message.id) ?? message);
    for (const [index, { event, messageId }] of this.ring.entries()) {
      if (!('message' in event.data) || typeof event.data.message === 'string') continue;
      const { message } = event.data;
      if (message.sender.id !== user.id) continue;
      this.ring[index] = { event: withMessage(event, { ...message, sender: user }), messageId };
    }
  }

  private renameInInfo(user: User): void {
    const { users } = this.info;
    if (users?.some(({ id }) => id === user.id) !== true) return;
    this.info = { ...this.info, users: users.map((one) => (one.id === user.id ? user : one)) };
  }

  private noteSender({ data }: LogEvent): void {
    if ('message' in data && typeof data.message !== 'string') {
      this.senders.add(data.message.sender.id);
    }
  }

  /** Replaces a message in all events about it: texts are stored with messages (P-5.9). */
  private replaceMessage(message: Message): void {
    if (message.seq === this.head) return;
    this.latest = this.latest.map((old) => (old.id === message.id ? message : old));
    for (const [index, { event, messageId }] of this.ring.entries()) {
      if (messageId === message.id)
        this.ring[index] = { event: withMessage(event, message), messageId };
    }
  }
}

function withMessage(event: LogEvent, message: Message): LogEvent {
  if (!('message' in event.data) || typeof event.data.message === 'string') return event;
  return { ...event, data: { ...event.data, message } } as LogEvent;
}
