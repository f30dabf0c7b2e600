import { createHash } from 'node:crypto';

import type { Connection } from '../../../chat/connections/connection.js';
import type { SlowReaders } from '../../../chat/connections/slow-readers.js';
import type { BotHello } from '../../../protocol/bots.js';
import type { LogEvent } from '../../../protocol/events.js';
import type { BotClock } from '../../kit/bot-clock.js';
import type { AlarmEvent } from '../../kit/bot-event.js';
import type { IdleTracker } from '../../kit/idle-tracker.js';
import type { BotLane } from '../dispatch/bot-lane.js';
import type { HopTracker } from '../roster/hop-tracker.js';

const IN_FLIGHT = 32;

/** The dependencies of a {@link RemoteBotSession}. */
export interface SessionTools {
  readonly clock: BotClock;
  readonly slowReaders: SlowReaders;
  readonly idle: IdleTracker;
}

/** A room that is leased to a connection. */
export interface Lease {
  /** Position after which delivery starts. */
  readonly after: number;
  readonly lane: BotLane;
  /** Called when the lease ends. */
  readonly ended: () => void;
}

interface Delivery extends Lease {
  /** Position that the bot is expected to have (P-5.8). */
  reached: number;
  /** Positions that were delivered and are not acknowledged yet. */
  pending: number[];
  wake: (() => void) | null;
}

/** One connection of a remote bot, with the rooms that are leased to it (P-13.10). */
export class RemoteBotSession {
  private readonly deliveries = new Map<string, Delivery>();
  private sendingAlarms: Promise<void> = Promise.resolve();

  constructor(
    readonly connection: Connection,
    readonly hello: BotHello,
    private readonly hops: HopTracker,
    private readonly tools: SessionTools,
  ) {}

  /** Returns whether a room is leased to this connection. */
  holds(room: string): boolean {
    return this.deliveries.has(room);
  }

  /** Returns the rooms that are leased to this connection. */
  rooms(): string[] {
    return [...this.deliveries.keys()];
  }

  /** Returns the rank of this connection for a room: the highest one gets the lease. */
  rank(room: string): string {
    return createHash('sha256').update(`${this.connection.id} ${room}`).digest('hex');
  }

  /** Starts to deliver a room. */
  lease(room: string, lease: Lease): void {
    this.deliveries.set(room, { ...lease, reached: lease.after, pending: [], wake: null });
  }

  /** Ends the lease of a room; the next holder gets what was not acknowledged. */
  release(room: string): void {
    const delivery = this.deliveries.get(room);
    this.deliveries.delete(room);
    if (delivery !== undefined) this.hops.close(room, delivery.reached);
    delivery?.lane.stop();
    delivery?.ended();
    delivery?.wake?.();
  }

  /** Ends all leases. */
  releaseAll(): void {
    for (const room of this.rooms()) this.release(room);
  }

  /** Queues a committed event of a room. */
  push(room: string, event: LogEvent): void {
    this.deliveries.get(room)?.lane.push(event);
  }

  /** Sends an event as soon as fewer than `inFlight` events are unacknowledged. */
  async deliver(logged: LogEvent): Promise<void> {
    const { event, data } = logged;
    const { room, seq } = data;
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    const { inFlight = IN_FLIGHT } = this.hello;
    while (delivery.pending.length >= inFlight && this.deliveries.get(room) === delivery) {
      await this.tools.idle.suspend(new Promise<void>((resolve) => (delivery.wake = resolve)));
    }
    await this.untilRead();
    if (this.deliveries.get(room) !== delivery) return;
    delivery.pending.push(seq);
    this.hops.record(logged, this.tools.clock.now());
    this.connection.tell(event, { ...data, prev: delivery.reached });
    delivery.reached = seq;
  }

  /** Sends an alarm, after the alarms before it (P-13.13). */
  sendAlarm({ event, data: { room, key, at, value } }: AlarmEvent): void {
    const sending = this.sendingAlarms.then(async () => {
      await this.untilRead();
      if (this.holds(room)) this.connection.tell(event, { room, key, at, value });
    });
    this.sendingAlarms = this.tools.idle.track(sending);
  }

  /** Records that the bot has processed a room up to a position. */
  acknowledge(room: string, seq: number): void {
    const delivery = this.deliveries.get(room);
    if (delivery === undefined) return;
    this.hops.close(room, seq);
    delivery.pending = delivery.pending.filter((pending) => pending > seq);
    delivery.wake?.();
    delivery.wake = null;
  }

  /** Waits until the bot has read what was sent; a slow reader would be disconnected (P-9.12). */
  private async untilRead(): Promise<void> {
    for (;;) {
      const waiting = this.tools.slowReaders.until(this.connection);
      if (waiting === undefined) return;
      await waiting;
    }
  }
}
