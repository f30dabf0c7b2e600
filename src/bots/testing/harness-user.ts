import type { CommandInput, CommandName, ReplyData } from '../../protocol/commands.js';
import type { AnnouncedLimits } from '../../protocol/limits.js';
import type { Message } from '../../protocol/models.js';
import type { HarnessPerson } from './harness-person.js';

/** A person in a room. */
export class HarnessUser {
  constructor(
    private readonly person: HarnessPerson,
    private readonly room: string,
  ) {}

  get name(): string {
    return this.person.name;
  }

  /** The limits of the server. */
  get limits(): AnnouncedLimits {
    return this.person.limits;
  }

  /** Writes a message; resolves when it is stored, before a bot handles it. */
  async says(text: string, { replyTo }: { replyTo?: Message } = {}): Promise<Message> {
    const reply = replyTo === undefined ? {} : { replyTo: replyTo.id };
    const data = { room: this.room, text, ...reply };
    return (await this.person.call('message.send', data)).message;
  }

  /** Adds a reaction to a message. */
  async reacts(emoji: string, message: Message): Promise<void> {
    await this.person.call('message.react', { room: this.room, message: message.id, emoji });
  }

  /** Removes a reaction. */
  async unreacts(emoji: string, message: Message): Promise<void> {
    await this.person.call('message.unreact', { room: this.room, message: message.id, emoji });
  }

  /** Leaves the room. */
  async leaves(): Promise<void> {
    await this.person.call('room.leave', { room: this.room });
  }

  /** Sends any command of the protocol. */
  call<C extends CommandName>(cmd: C, data: CommandInput<C>): Promise<ReplyData<C>> {
    return this.person.call(cmd, data);
  }
}
