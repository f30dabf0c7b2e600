import type { AppendedEvent } from '../../database/write-job.js';
import type { Message } from '../../protocol/models.js';
import { ownerOfLog } from '../../store/actor.js';
import type { FeedListener } from '../../store/log-feed.js';
import { authorOf } from '../kit/bot-event.js';

/** Records commits: the current messages of each room, and the last event of a person. */
export class CommitRecord implements FeedListener {
  /** Number of events. */
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

  /** Returns the current messages of a room, oldest first. */
  messages(room: string): Message[] {
    return [...(this.byRoom.get(room)?.values() ?? [])];
  }

  /**
   * Returns the last event of a room that was not caused by a bot.
   *
   * @throws Error if there is none
   */
  getLast(): AppendedEvent {
    if (this.last === undefined) throw new Error('No person has caused an event yet.');
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
