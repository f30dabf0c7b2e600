import type { LogEvent } from '#src/protocol/events.js';
import type { Member, Message, Position, Room, RoomCut, User } from '#src/protocol/models.js';

/** What an event did to a copy: see the rule for clients (P-5.10). */
export type Applied = 'applied' | 'dropped' | 'missing';

/** What of a room two copies can be compared by. */
export interface RoomState {
  readonly position: Position;
  readonly info: Room | undefined;
  readonly memberCount: number;
  readonly members: readonly Member[];
  readonly messages: readonly object[];
}

/** What a client knows of a room: a cut, and the events that followed (P-5.9, P-5.10). */
export class RoomCopy {
  private last: number;
  private info: Room | undefined;
  private readonly members = new Map<string, Member>();
  private readonly messages = new Map<string, Message>();

  private constructor(
    private readonly epoch: string,
    seq: number,
  ) {
    this.last = seq;
  }

  /** Begins with a cut; `older` are messages that it does not hold. */
  static ofCut(cut: RoomCut, older: readonly Message[] = []): RoomCopy {
    const copy = new RoomCopy(cut.epoch, cut.seq);
    copy.info = cut.info;
    for (const member of cut.members) copy.members.set(member.user.id, member);
    for (const message of [...older, ...cut.messages]) copy.messages.set(message.id, message);
    return copy;
  }

  /** Begins with nothing, before the first event of a log. */
  static ofNothing(epoch: string): RoomCopy {
    return new RoomCopy(epoch, 0);
  }

  /** Position of the last event that was applied. */
  get position(): Position {
    return { epoch: this.epoch, seq: this.last };
  }

  /** Applies an event by the rule for clients. */
  apply(event: LogEvent): Applied {
    const { seq, prev = seq - 1 } = event.data;
    if (this.last !== prev) return seq <= this.last ? 'dropped' : 'missing';
    this.last = seq;
    this.fold(event);
    return 'applied';
  }

  /** Gives what is known, in a form that does not depend on how it came to be known. */
  state(): RoomState {
    const members = [...this.members.values()].toSorted((a, b) => compare(a.user.id, b.user.id));
    const messages = [...this.messages.values()].toSorted((a, b) => a.seq - b.seq);
    return {
      position: this.position,
      info: this.info,
      memberCount: this.members.size,
      members,
      messages: messages.map((message) => this.comparable(message)),
    };
  }

  private fold(event: LogEvent): void {
    switch (event.event) {
      case 'room.created':
      case 'room.updated':
        this.info = event.data.info;
        break;
      case 'member.joined':
        this.members.set(event.data.member.user.id, event.data.member);
        this.rename(event.data.member.user);
        this.count(event.data.memberCount);
        break;
      case 'member.left':
        this.members.delete(event.data.user.id);
        this.count(event.data.memberCount);
        break;
      case 'user.updated':
        this.rename(event.data.user);
        break;
      case 'reaction.added':
      case 'reaction.removed':
        this.react(event);
        break;
      case 'dm.opened':
      case 'user.blocked':
      case 'user.unblocked':
        break;
      default:
        this.messages.set(event.data.message.id, event.data.message);
    }
  }

  private count(memberCount: number): void {
    if (this.info !== undefined) this.info = { ...this.info, memberCount };
  }

  private rename(user: User): void {
    const member = this.members.get(user.id);
    if (member !== undefined) this.members.set(user.id, { ...member, user });
    for (const message of this.messages.values()) {
      if (message.sender.id !== user.id) continue;
      this.messages.set(message.id, { ...message, sender: user });
    }
  }

  /** By P-5.9: who adds what is there goes to the end; removing what is not there changes nothing. */
  private react({ event, data }: LogEvent & { event: `reaction.${string}` }): void {
    const message = this.messages.get(data.message);
    if (message === undefined || message.deletedAt !== undefined) return;
    const { emoji, user } = data;
    const others = message.reactions.filter((reaction) => reaction.emoji !== emoji);
    const before = message.reactions.find((reaction) => reaction.emoji === emoji)?.users ?? [];
    const left = before.filter((id) => id !== user);
    const users = event === 'reaction.added' ? [...left, user] : left;
    const reactions = users.length === 0 ? others : [...others, { emoji, users }];
    reactions.sort((a, b) => Buffer.compare(Buffer.from(a.emoji), Buffer.from(b.emoji)));
    this.messages.set(message.id, { ...message, reactions });
  }

  /** Who has left may have taken another name, of which nobody is told. */
  private comparable(message: Message): object {
    const { sender, ...rest } = message;
    return { ...rest, sender: this.members.has(sender.id) ? sender : { id: sender.id } };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
