import { createHash } from 'node:crypto';

import type { Connection } from '../chat/connection.js';
import type { BotHello } from '../protocol/bots.js';
import type { LogEvent } from '../protocol/events.js';
import type { BotLane } from './bot-lane.js';

const IN_FLIGHT = 32;

interface Delivery {
  readonly lane: BotLane;
  /** Position that the bot is expected to have (P-5.8). */
  reached: number;
  /** Positions that were delivered and not acknowledged yet. */
  pending: number[];
  wake: (() => void) | null;
}

/** One connection of a bot from afar, with the rooms that are leased to it (P-13.10). */
export class RemoteBotSession {
  private readonly deliveries = new Map<string, Delivery>();

  constructor(
    readonly connection: Connection,
    readonly hello: BotHello,
  ) {}

  /** Tells whether a room is leased to this connection. */
  has(room: string): boolean {
    return this.deliveries.has(room);
  }

  /** Rooms that are leased to this connection. */
  rooms(): string[] {
    return [...this.deliveries.keys()];
  }

  /** Rank of this connection for a room: the highest one gets the lease. */
  rank(room: string): string {
    return createHash('sha256').update(`${this.connection.id} ${room}`).digest('hex');
  }

  /** Begins to deliver a room, after a position. */
  lease(room: string, after: number, lane: BotLane): void {
    this.deliveries.set(room, { lane, reached: after, pending: [], wake: null });
  }

  /** Ends the lease of a room; what is not acknowledged will be delivered to the next one. */
  release(room: string): void {
    const delivery = this.deliveries.get(room);
    this.deliveries.delete(room);
    delivery?.lane.stop();
    delivery?.wake?.();
  }

  /** Ends all leases. */
  releaseAll(): void {
    for (const room of this.rooms()) this.release(room);
  }

  /** Takes an event of a room that was committed. */
  offer(room: string, event: LogEvent): void {
    this.deliveries.get(room)?.lane.push(event);
  }

  /** Sends an event, once there is room for it among those that are not acknowledged. */
  async deliver({ event, data }: LogEvent): Promise<void> {
    const { room, seq } = data;
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    const { inFlight = IN_FLIGHT } = this.hello;
    while (delivery.pending.length >= inFlight && this.deliveries.get(room) === delivery) {
      await new Promise<void>((resolve) => (delivery.wake = resolve));
    }
    if (this.deliveries.get(room) !== delivery) return;
    delivery.pending.push(seq);
    this.connection.emit(event, { ...data, prev: delivery.reached });
    delivery.reached = seq;
  }

  /** Notes that a room is processed up to a position. */
  acknowledged(room: string, seq: number): void {
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    delivery.pending = delivery.pending.filter((pending) => pending > seq);
    delivery.wake?.();
    delivery.wake = null;
  }
}
