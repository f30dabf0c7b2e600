import { createHash } from 'node:crypto';

import type { Connection } from '../chat/connection.js';
import type { BotHello } from '../protocol/bots.js';
import type { LogEvent } from '../protocol/events.js';
import type { BotLane } from './bot-lane.js';
import type { GivenHops } from './given-hops.js';
import type { BotClock } from './runtime/bot-clock.js';
import type { AlarmEvent } from './runtime/bot-event.js';

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
  private ringing: Promise<void> = Promise.resolve();
  /** Alarms that are about to be sent. */
  private ringingCount = 0;

  constructor(
    readonly connection: Connection,
    readonly hello: BotHello,
    private readonly given: GivenHops,
    private readonly clock: BotClock,
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
    if (delivery !== undefined) this.given.close(room, delivery.reached);
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
  async deliver(logged: LogEvent): Promise<void> {
    const { event, data } = logged;
    const { room, seq } = data;
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    const { inFlight = IN_FLIGHT } = this.hello;
    while (delivery.pending.length >= inFlight && this.deliveries.get(room) === delivery) {
      await new Promise<void>((resolve) => (delivery.wake = resolve));
    }
    await this.untilRead();
    if (this.deliveries.get(room) !== delivery) return;
    delivery.pending.push(seq);
    this.given.note(logged, this.clock.now());
    this.connection.tell(event, { ...data, prev: delivery.reached });
    delivery.reached = seq;
  }

  /** Sends an alarm, after those before it (P-13.13). */
  ring({ event, data: { room, key, at, value } }: AlarmEvent): void {
    this.ringingCount++;
    this.ringing = this.ringing.then(async () => {
      await this.untilRead();
      if (this.has(room)) this.connection.tell(event, { room, key, at, value });
      this.ringingCount--;
    });
  }

  /** Notes that a room is processed up to a position. */
  acknowledged(room: string, seq: number): void {
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    this.given.close(room, seq);
    delivery.pending = delivery.pending.filter((pending) => pending > seq);
    delivery.wake?.();
    delivery.wake = null;
  }

  /** Counts what is about to be sent, but for what waits for acknowledgements. */
  countBusy(): number {
    const deliveries = [...this.deliveries.values()];
    return deliveries.filter(isSending).length + this.ringingCount;
  }

  /** What a bot has missed comes as fast as it reads, or its connection would end (P-9.12). */
  private async untilRead(): Promise<void> {
    for (;;) {
      const waiting = this.connection.untilRead();
      if (waiting === undefined) return;
      await waiting;
    }
  }
}

function isSending({ lane, wake }: Delivery): boolean {
  return lane.isBusy && wake === null;
}
