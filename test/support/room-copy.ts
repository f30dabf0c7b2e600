import { RoomState as ClientRoom, type Applied } from '#client/room-state.js';
import type { LogEvent } from '#src/protocol/events.js';
import type { Member, Message, Position, Room, RoomCut } from '#src/protocol/models.js';

/** The state of a room in a form that tests can compare. */
export interface RoomState {
  readonly position: Position;
  readonly info: Room | undefined;
  readonly memberCount: number;
  readonly members: readonly Member[];
  readonly messages: readonly object[];
}

/** The state of a room as a client builds it from a cut and the events that follow (P-5.9, P-5.10). */
export class RoomCopy {
  private readonly room = new ClientRoom();

  private constructor(cut: RoomCut) {
    this.room.reset(cut);
  }

  /** Starts from a cut; `older` are messages that it does not contain. */
  static fromCut(cut: RoomCut, older: readonly Message[] = []): RoomCopy {
    const copy = new RoomCopy(cut);
    copy.room.prepend(older, false);
    return copy;
  }

  /** Starts before the first event of a log. */
  static empty(epoch: string): RoomCopy {
    const empty = { members: [], messages: [], hasMore: false, presence: { count: 0 } };
    return new RoomCopy({ ...empty, epoch, seq: 0, info: null } as unknown as RoomCut);
  }

  /** Position of the last event that was applied. */
  get position(): Position {
    return this.room.position as Position;
  }

  /** Applies an event by the rule for clients (P-5.10). */
  apply(event: LogEvent): Applied {
    return this.room.applyLogged(event);
  }

  /** Returns the state, sorted so that it does not depend on the order of construction. */
  state(): RoomState {
    const { info, messages } = this.room;
    const members = [...this.room.members.values()];
    return {
      position: this.position,
      info: info ?? undefined,
      memberCount: members.length,
      members: members.toSorted((a, b) => compare(a.user.id, b.user.id)),
      messages: messages
        .toSorted((a, b) => a.seq - b.seq)
        .map((message) => this.comparable(message)),
    };
  }

  /** Removes the name of a sender who has left, because clients do not learn later names. */
  private comparable(message: Message): object {
    const { sender, ...rest } = message;
    return { ...rest, sender: this.room.members.has(sender.id) ? sender : { id: sender.id } };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
