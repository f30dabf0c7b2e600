import type { AppendedEvent } from '../database/write-job.js';
import type { Position } from '../protocol/models.js';

/** Events kept while earlier ones are missing; further ones are read from the log. */
const MOST_EARLY = 256;

/** A log that this process follows: its position, and the events that came before their turn. */
export class FollowedLog {
  readonly epoch: string;
  /** Position of the last event that was delivered. */
  head: number;
  followers = 1;
  /** The read of the missing events, while there is one. */
  filling: Promise<void> | null = null;
  /** Position that the log is known to have reached. */
  known: number;
  /** Null if there are none: there may be many thousands of logs. */
  private early: AppendedEvent[] | null = null;

  constructor(
    readonly log: string,
    { epoch, seq }: Position,
  ) {
    this.epoch = epoch;
    this.head = seq;
    this.known = seq;
  }

  /** Whether the log is known to have events after the last one that was delivered. */
  get isBehind(): boolean {
    return this.known > this.head;
  }

  /** Notes that the log has reached a position. */
  reached(seq: number): void {
    this.known = Math.max(this.known, seq);
  }

  /** Moves on to an event if it is the next one; returns whether it was. */
  advance({ event }: AppendedEvent): boolean {
    if (event.data.seq !== this.head + 1 || this.isBehind) return false;
    this.head++;
    return true;
  }

  /** Keeps an event until its turn; drops one that was delivered. */
  keep(appended: AppendedEvent): void {
    const { seq } = appended.event.data;
    if (seq <= this.head) return;
    this.reached(seq);
    this.early ??= [];
    if (this.early.length < MOST_EARLY) this.early.push(appended);
  }

  /** Moves on over all events that are next, kept ones included, and returns them in order. */
  advanceOver(events: readonly AppendedEvent[]): AppendedEvent[] {
    const all = [...events, ...(this.early ?? [])];
    const next: AppendedEvent[] = [];
    this.early = null;
    for (const appended of all.sort((a, b) => a.event.data.seq - b.event.data.seq)) {
      const { seq } = appended.event.data;
      if (seq === this.head + 1) {
        this.head = seq;
        next.push(appended);
      } else this.keep(appended);
    }
    return next;
  }

  /** Forgets positions after the head: the log does not have them. */
  settle(): void {
    this.known = this.head;
    this.early = null;
  }
}
