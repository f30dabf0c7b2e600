import type { LogEvent } from '../protocol/events.js';
import type { Limits } from '../protocol/limits.js';
import type { Attachment } from './attachment.js';
import type { Encoding, Prepared } from './transport.js';

/** The connections that receive one room. */
export class Channel {
  private readonly attachments = new Set<Attachment>();
  /** Attached connections by user. */
  private readonly users = new Map<string, number>();

  constructor(private readonly limits: Limits) {}

  get isEmpty(): boolean {
    return this.attachments.size === 0;
  }

  /** Number of users online here. */
  get userCount(): number {
    return this.users.size;
  }

  /** Ids of the users online here. */
  userIds(): IterableIterator<string> {
    return this.users.keys();
  }

  /** Tells whether a user is online here. */
  has(userId: string): boolean {
    return this.users.has(userId);
  }

  /** Adds a connection; true if its user was not online here. */
  add(attachment: Attachment, userId: string): boolean {
    this.attachments.add(attachment);
    const count = this.users.get(userId) ?? 0;
    this.users.set(userId, count + 1);
    return count === 0;
  }

  /** Removes a connection; true if its user is no longer online here. */
  remove(attachment: Attachment, userId: string): boolean {
    this.attachments.delete(attachment);
    const count = this.users.get(userId) ?? 0;
    if (count > 1) this.users.set(userId, count - 1);
    else this.users.delete(userId);
    return count <= 1;
  }

  /** Sends events of the log to everybody: encoded and framed once for each encoding (design of fan-out). */
  send(events: readonly LogEvent[]): void {
    const shared = new Shared((encoding) => prepareAll(encoding, events));
    for (const attachment of this.attachments) shared.deliver(attachment);
  }

  /** Sends an ephemeral event to those who read fast enough, but not to the user who caused it. */
  sendEphemeral(event: string, data: unknown, exceptUser?: string): void {
    const shared = new Shared((encoding) => encoding.prepare(event, data));
    for (const attachment of this.attachments) {
      const { session, bufferedBytes } = attachment.connection;
      if (exceptUser !== undefined && session?.user.id === exceptUser) continue;
      if (bufferedBytes > this.limits.shedBytes) continue;
      shared.deliver(attachment);
    }
  }
}

/** What all links of an encoding share. */
class Shared {
  private readonly prepared = new Map<Encoding, Prepared>();

  constructor(private readonly prepare: (encoding: Encoding) => Prepared) {}

  deliver(attachment: Attachment): void {
    const { connection } = attachment;
    const { encoding } = connection.link;
    let ready = this.prepared.get(encoding) ?? null;
    if (ready === null) {
      ready = connection.attempt(() => this.prepare(encoding));
      if (ready === null) return;
      this.prepared.set(encoding, ready);
    }
    attachment.deliver(ready);
  }
}

function prepareAll(encoding: Encoding, events: readonly LogEvent[]): Prepared {
  const all = events.map(({ event, data }) => encoding.prepare(event, data));
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : encoding.join(all);
}
