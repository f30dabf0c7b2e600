import type { LogEvent } from '../../protocol/events.js';
import type { Limits } from '../../protocol/limits.js';
import type { Connection } from '../connections/connection.js';
import type { Encoding, Prepared } from '../connections/transport.js';

/** Delivers the events of one log to one connection (P-5.3). */
export class Attachment {
  /** Events held back until the reply that they must follow; null when none need to (P-3.7). */
  private held: { readonly prepared: Prepared; readonly seq: number }[] | null = [];

  constructor(readonly connection: Connection) {}

  /** Sends an event, now or after the reply; `seq` is its position, where that matters. */
  deliver(prepared: Prepared, seq = 0): void {
    if (this.held === null) this.connection.push(prepared);
    else this.held.push({ prepared, seq });
  }

  /** Holds events back until {@link release}. */
  hold(): void {
    this.held ??= [];
  }

  /** Drops held events up to a position; returns the latest position that was held. */
  drop(upTo: number): number {
    const latest = Math.max(0, ...(this.held ?? []).map(({ seq }) => seq));
    this.prepend([], upTo);
    return latest;
  }

  /** Inserts missed events, up to a position, before the held events after that position. */
  prepend(missed: readonly Prepared[], upTo: number): void {
    const later = (this.held ?? []).filter(({ seq }) => seq > upTo);
    this.held = [...missed.map((prepared) => ({ prepared, seq: 0 })), ...later];
  }

  /** Sends the held events in order. */
  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const { prepared } of held) this.connection.push(prepared);
  }
}

/** The connections that receive one room. */
export class Channel {
  private readonly attachments = new Set<Attachment>();
  /** Attached connections by user. */
  private readonly users = new Map<string, number>();

  constructor(private readonly limits: Limits) {}

  get isEmpty(): boolean {
    return this.attachments.size === 0;
  }

  /** Number of users online in the room. */
  get userCount(): number {
    return this.users.size;
  }

  /** Returns the ids of the users online in the room. */
  userIds(): IterableIterator<string> {
    return this.users.keys();
  }

  /** Returns the connections that receive the room. */
  *connections(): Generator<Connection> {
    for (const { connection } of this.attachments) yield connection;
  }

  /** Returns whether a user is online in the room. */
  has(userId: string): boolean {
    return this.users.has(userId);
  }

  /** Adds a connection; returns true if its user was not online in the room before. */
  add(attachment: Attachment, userId: string): boolean {
    this.attachments.add(attachment);
    const count = this.users.get(userId) ?? 0;
    this.users.set(userId, count + 1);
    return count === 0;
  }

  /** Removes a connection; returns true if its user is no longer online in the room. */
  remove(attachment: Attachment, userId: string): boolean {
    this.attachments.delete(attachment);
    const count = this.users.get(userId) ?? 0;
    if (count > 1) this.users.set(userId, count - 1);
    else this.users.delete(userId);
    return count <= 1;
  }

  /** Sends events of the log to all connections; encodes them once for each encoding. */
  send(events: readonly LogEvent[]): void {
    const shared = new SharedEvents((encoding) => prepareAll(encoding, events));
    for (const attachment of this.attachments) shared.deliver(attachment);
  }

  /** Sends an ephemeral event to connections that read fast enough, except those of one user. */
  sendEphemeral(event: string, data: unknown, exceptUser?: string): void {
    const shared = new SharedEvents((encoding) => encoding.prepare(event, data));
    for (const attachment of this.attachments) {
      const { session, bufferedBytes } = attachment.connection;
      if (exceptUser !== undefined && session?.user.id === exceptUser) continue;
      if (bufferedBytes > this.limits.shedBytes) continue;
      shared.deliver(attachment);
    }
  }
}

/** Events prepared once for each encoding. */
class SharedEvents {
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
