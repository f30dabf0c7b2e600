import type { ReceivedEvent } from '../support/client.js';

/** An event of a log, by what cannot change about it: texts and names are as they are now (P-5.9). */
export interface LogEntry {
  readonly seq: number;
  readonly print: string;
}

interface LogData {
  readonly seq: number;
  readonly prev?: number;
  readonly at: number;
  readonly message?: string | { readonly id: string };
  readonly member?: { readonly user: { readonly id: string } };
  readonly user?: string | { readonly id: string };
  readonly emoji?: string;
}

/** Gives the entry that an event is in a log. */
export function toEntry({ event, data }: ReceivedEvent): LogEntry {
  const { seq, at, message, member, user, emoji } = data as unknown as LogData;
  const about = [idOf(message), idOf(member?.user), idOf(user), emoji];
  return { seq, print: [event, at, ...about.filter((id) => id !== undefined)].join(' ') };
}

function idOf(thing: string | { readonly id: string } | undefined): string | undefined {
  return typeof thing === 'object' ? thing.id : thing;
}

/**
 * What one client saw of one room, over all its connections.
 *
 * It asks for more than the rule for clients does (P-5.10): a server that keeps its word sends
 * each event once and in its place, so a repeat or a gap is a breach even if the rule would mend it.
 */
export class SeenLog {
  readonly entries: LogEntry[] = [];
  readonly breaches: string[] = [];
  epoch = '';
  /** Position of the last event that was seen; null before the first cut. */
  position: number | null = null;

  constructor(
    readonly client: string,
    readonly room: string,
  ) {}

  /** Begins at a cut. */
  begin(epoch: string, seq: number): void {
    this.epoch = epoch;
    this.position = seq;
  }

  /** Takes in an event. */
  take(received: ReceivedEvent): void {
    const entry = toEntry(received);
    const position = this.position ?? 0;
    if (entry.seq <= position) {
      this.breaches.push(`doubled: ${String(entry.seq)} came after ${String(position)}`);
      return;
    }
    const { prev = entry.seq - 1 } = received.data as unknown as LogData;
    if (prev !== position) {
      this.breaches.push(`gap: ${String(entry.seq)} came right after ${String(position)}`);
    }
    this.entries.push(entry);
    this.position = entry.seq;
  }
}
