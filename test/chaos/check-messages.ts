import type { Message } from '#src/protocol/models.js';

import { idOf } from './event-print.js';
import type { Evidence, RoomReading, SentMessage } from './evidence.js';

/** Finds messages that are lost, doubled, invented, or stored although they were refused. */
export function checkMessages({ clients, readings }: Evidence): string[] {
  const sent = clients.flatMap((client) => client.sent);
  return readings.flatMap((reading) => new Messages(reading).check(sent));
}

/** The messages of one room at one node. */
class Messages {
  private readonly where: string;
  private readonly created = new Map<string, number[]>();
  private readonly stored = new Map<string, Message[]>();

  constructor(private readonly reading: RoomReading) {
    this.where = `in ${reading.room} at node ${String(reading.node)}`;
    for (const message of reading.history) append(this.stored, keyOf(message), message);
    for (const { event, data } of reading.log) {
      if (event !== 'message.created') continue;
      append(this.created, String(idOf(data['message'])), data['seq'] as number);
    }
  }

  check(all: readonly SentMessage[]): string[] {
    const sent = all.filter(({ room }) => room === this.reading.room);
    return [
      ...sent.flatMap((message) => this.checkSent(message)),
      ...this.findInvented(sent),
      ...this.compareWithLog(),
    ];
  }

  private checkSent(sent: SentMessage): string[] {
    const { outcome } = sent;
    const stored = this.stored.get(nameOf(sent)) ?? [];
    const found: string[] = [];
    if (stored.length > 1) {
      found.push(`doubled: ${nameOf(sent)} is stored ${String(stored.length)} times ${this.where}`);
    }
    if (outcome.is === 'refused' && stored.length > 0) {
      found.push(`${nameOf(sent)} was refused (${outcome.code}), but is stored ${this.where}`);
    }
    if (outcome.is !== 'acknowledged') return found;
    const seq = outcome.message?.seq;
    const [message] = stored;
    if (message === undefined) {
      return [...found, `lost: ${nameOf(sent)}, acknowledged at ${String(seq)}, ${this.where}`];
    }
    if (message.seq === seq && message.id === outcome.message?.id) return found;
    const places = `acknowledged at ${String(seq)}, but is stored at ${String(message.seq)}`;
    return [...found, `moved: ${nameOf(sent)} was ${places} ${this.where}`];
  }

  private findInvented(sent: readonly SentMessage[]): string[] {
    const known = new Set(sent.map(nameOf));
    return this.reading.history
      .filter((message) => !known.has(keyOf(message)))
      .map((message) => `invented: nobody sent ${keyOf(message)}, which is stored ${this.where}`);
  }

  private compareWithLog(): string[] {
    const found: string[] = [];
    for (const { id, seq } of this.reading.history) {
      const seqs = this.created.get(id) ?? [];
      if (seqs.length === 1 && seqs[0] === seq) continue;
      const places = seqs.length === 0 ? 'nowhere' : `at ${seqs.join(' and ')}`;
      found.push(
        `message ${id} is at ${String(seq)}, but the log creates it ${places} ${this.where}`,
      );
    }
    const ids = new Set(this.reading.history.map(({ id }) => id));
    for (const id of this.created.keys()) {
      if (!ids.has(id))
        found.push(`message ${id} is in the log, but not in the history ${this.where}`);
    }
    return found;
  }
}

/** Returns the sender and the cid of a message that a client sent. */
export function nameOf({ sender, cid }: SentMessage): string {
  return `${sender} ${cid}`;
}

function keyOf({ sender, cid, id }: Message): string {
  return `${sender.id} ${cid ?? id}`;
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
