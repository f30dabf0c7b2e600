import { foldRoomName } from '../../protocol/names.js';
import type { Message } from '../../protocol/models.js';
import type { CommitRecord } from './commit-record.js';
import type { HarnessPerson } from './harness-person.js';
import { HarnessUser } from './harness-user.js';

/** The part of the harness that a room uses. */
export interface RoomHarness {
  readonly record: CommitRecord;
  person(name: string): Promise<HarnessPerson>;
  settled(): Promise<void>;
}

/** A room with the bots under test. */
export class HarnessRoom {
  readonly id: string;
  private readonly users = new Map<string, HarnessUser>();

  constructor(
    name: string,
    private readonly harness: RoomHarness,
  ) {
    const id = foldRoomName(name);
    if (id === null) throw new Error(`${JSON.stringify(name)} is not a valid room name.`);
    this.id = id;
  }

  /** Lets a person join; the first one creates the room and owns it. */
  async user(name: string): Promise<HarnessUser> {
    const known = this.users.get(name);
    if (known !== undefined) return known;
    const person = await this.harness.person(name);
    await person.call('room.join', { room: this.id, create: true });
    await this.harness.settled();
    const user = new HarnessUser(person, this.id);
    this.users.set(name, user);
    return user;
  }

  /** Returns the current messages, oldest first. */
  messages(): Message[] {
    return this.harness.record.messages(this.id);
  }

  /** Returns all messages as lines `name: text`. */
  transcript(): string[] {
    return this.messages().map(({ sender, text, deletedAt }) => {
      return `${sender.name}: ${deletedAt === undefined ? text : '(deleted)'}`;
    });
  }

  /** Lets all people rejoin after a restart. */
  async rejoin(): Promise<void> {
    for (const user of this.users.values()) await user.call('room.join', { room: this.id });
  }
}
