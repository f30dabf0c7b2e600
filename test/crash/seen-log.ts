import type { ReceivedEvent } from '../support/client.js';

/** An event of a log, reduced to what never changes: events carry current texts and names (P-5.9). */
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

/** Returns the log entry of an event. */
export function toEntry({ event, data }: ReceivedEvent): LogEntry {
  const { seq, at, message, member, user, emoji } = data as unknown as LogData;
  const about = [idOf(message), idOf(member?.user), idOf(user), emoji];
  return { seq, print: [event, at, ...about.filter((id) => id !== undefined)].join(' ') };
}

function idOf(thing: string | { readonly id: string } | undefined): string | undefined {
  return typeof thing === 'object' ? thing.id : thing;
}

/**
 * The events of one room that one client received, over all its connections.
 *
 * It is stricter than the rules for clients (P-5.10): a correct server sends each event once and
 * in order, so a repeat or a gap is a violation even if a client could recover from it.
 */
export class SeenLog {
  readonly entries: LogEntry[] = [];
  readonly violations: string[] = [];
  epoch = '';
  /** Position of the last event that was seen; null before the first cut. */
  position: number | null = null;

  constructor(
    readonly client: string,
    readonly room: string,
  ) {}

  /** Starts at a cut. */
  start(epoch: string, seq: number): void {
    this.epoch = epoch;
    this.position = seq;
  }

  /** Adds a received event. */
  add(received: ReceivedEvent): void {
    const entry = toEntry(received);
    const position = this.position ?? 0;
    if (entry.seq <= position) {
      this.violations.push(`duplicated: ${String(entry.seq)} followed ${String(position)}`);
      return;
    }
    const { prev = entry.seq - 1 } = received.data as unknown as LogData;
    if (prev !== position) {
      this.violations.push(`gap: ${String(entry.seq)} directly followed ${String(position)}`);
    }
    this.entries.push(entry);
    this.position = entry.seq;
  }
}
