import type { AppendedEvent, CommitListener } from '../database/writer.js';
import type { Message } from '../protocol/models.js';
import { ownerOfLog } from '../users/actor.js';
import { authorOf } from '../bots/runtime/bot-event.js';

/** What was committed: the messages of each room as they are now, and the last act of a person. */
export class CommitRecord implements CommitListener {
  /** How many events there were. */
  count = 0;
  private readonly byRoom = new Map<string, Map<string, Message>>();
  private readonly botIds = new Set<string>();
  private last: AppendedEvent | undefined;

  committed(events: readonly AppendedEvent[]): void {
    for (const appended of events) {
      this.count++;
      this.note(appended);
    }
  }

  lost(): void {
    // SQLite in a folder of its own is never away.
  }

  /** Gives the messages of a room as they are now, oldest first. */
  messages(room: string): Message[] {
    return [...(this.byRoom.get(room)?.values() ?? [])];
  }

  /**
   * Gives the last event in a room that no bot caused.
   *
   * @throws Error if there is none
   */
  getLast(): AppendedEvent {
    if (this.last === undefined) throw new Error('Nobody has done anything yet.');
    return this.last;
  }

  private note(appended: AppendedEvent): void {
    const { log, event, message } = appended;
    if (ownerOfLog(log) !== null) return;
    if (message !== undefined) this.keep(log, message);
    const author = authorOf(event);
    if (author === null) return;
    if (typeof author !== 'string' && author.kind === 'bot') this.botIds.add(author.id);
    const authorId = typeof author === 'string' ? author : author.id;
    if (!this.botIds.has(authorId)) this.last = appended;
  }

  private keep(room: string, message: Message): void {
    const messages = this.byRoom.get(room) ?? new Map<string, Message>();
    this.byRoom.set(room, messages.set(message.id, message));
  }
}
