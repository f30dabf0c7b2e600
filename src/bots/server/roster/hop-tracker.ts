import type { LogEvent } from '../../../protocol/events.js';

const KEPT_MS = 60_000;

interface Delivery {
  readonly hops: number;
  readonly at: number;
  /** Whether the bot may still be handling the message. */
  isOpen: boolean;
}

/** Remembers the hops of messages that were recently delivered to a remote bot (P-13.7). */
export class HopTracker {
  private readonly rooms = new Map<string, Map<number, Delivery>>();

  /** Records an event that is delivered to the bot. */
  record({ data }: LogEvent, now: number): void {
    const message = 'message' in data && typeof data.message === 'object' ? data.message : null;
    if (message?.hops === undefined) return;
    const deliveries = this.current(data.room, now);
    deliveries.set(data.seq, { hops: message.hops, at: now, isOpen: true });
    this.rooms.set(data.room, deliveries);
  }

  /** Marks the deliveries of a room up to a position as handled. */
  close(room: string, upTo: number): void {
    for (const [seq, delivery] of this.rooms.get(room) ?? []) {
      if (seq <= upTo) delivery.isOpen = false;
    }
  }

  /** Returns the maximum hops of the messages that the bot may be answering; 0 without any. */
  max(room: string, now: number): number {
    const deliveries = this.current(room, now);
    if (deliveries.size === 0) this.rooms.delete(room);
    return Math.max(0, ...[...deliveries.values()].map(({ hops }) => hops));
  }

  private current(room: string, now: number): Map<number, Delivery> {
    const deliveries = this.rooms.get(room) ?? new Map<number, Delivery>();
    for (const [seq, { at, isOpen }] of deliveries) {
      if (!isOpen && now - at >= KEPT_MS) deliveries.delete(seq);
    }
    return deliveries;
  }
}
