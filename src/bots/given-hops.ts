import type { LogEvent } from '../protocol/events.js';

const KEPT_MS = 60_000;

interface Given {
  readonly hops: number;
  readonly at: number;
  /** Whether the bot may still be at it. */
  isOpen: boolean;
}

/** How many bots in a row led to what a bot from afar was given lately, by room (P-13.7). */
export class GivenHops {
  private readonly rooms = new Map<string, Map<number, Given>>();

  /** Notes an event that the bot is given. */
  note({ data }: LogEvent, now: number): void {
    const message = 'message' in data && typeof data.message === 'object' ? data.message : null;
    if (message?.hops === undefined) return;
    const given = this.current(data.room, now);
    given.set(data.seq, { hops: message.hops, at: now, isOpen: true });
    this.rooms.set(data.room, given);
  }

  /** Notes that the bot is done with a room up to a position. */
  close(room: string, upTo: number): void {
    for (const [seq, given] of this.rooms.get(room) ?? []) if (seq <= upTo) given.isOpen = false;
  }

  /** Gives the most hops of what the bot may be answering; 0 if no bot led to it. */
  most(room: string, now: number): number {
    const given = this.current(room, now);
    if (given.size === 0) this.rooms.delete(room);
    return Math.max(0, ...[...given.values()].map(({ hops }) => hops));
  }

  private current(room: string, now: number): Map<number, Given> {
    const given = this.rooms.get(room) ?? new Map<number, Given>();
    for (const [seq, { at, isOpen }] of given) {
      if (!isOpen && now - at >= KEPT_MS) given.delete(seq);
    }
    return given;
  }
}
