import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { CloseCode } from '../protocol/close-codes.js';
import { AddressLimit } from './address-limit.js';
import type { Connection } from './connection.js';
import { SessionsService } from './sessions.service.js';
import { SlowReaders } from './slow-readers.js';
import type { Place } from './transport.js';

const LOOK_MS = 250;

/** All open connections: their number by address, and a regular look at their deadlines. */
@Injectable()
export class OpenConnections implements OnModuleDestroy {
  private readonly connections = new Set<Connection>();
  private readonly addresses: AddressLimit;
  private readonly slow: SlowReaders;
  private timer: NodeJS.Timeout | undefined;
  private emptied: (() => void) | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(SessionsService) private readonly sessions: SessionsService,
  ) {
    this.slow = new SlowReaders(config.limits.shedBytes);
    this.addresses = new AddressLimit(config.limits.connectionsPerAddress);
  }

  onModuleDestroy(): void {
    this.stop();
  }

  /** Gives every open connection. */
  all(): Iterable<Connection> {
    return this.connections;
  }

  /** Counts what is not a connection yet; null if it is one of too many (P-9.11). */
  reserve(address: string): Place | null {
    return this.addresses.reserve(address);
  }

  /** Adds a connection; false if its address has too many (P-9.11). */
  add(connection: Connection): boolean {
    const { place, remoteAddress } = connection.handshake;
    if (place === undefined) connection.place = this.addresses.take(remoteAddress);
    if (!(place ?? connection.place)?.isWithin) return false;
    this.connections.add(connection);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
    return true;
  }

  /** Removes a connection. */
  remove(connection: Connection): void {
    if (!this.connections.delete(connection)) return;
    connection.place?.release();
    if (this.connections.size === 0) this.emptied?.();
  }

  /** Resolves when no connection is left, or after some milliseconds. */
  async untilEmpty(ms: number): Promise<void> {
    if (this.connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Resolves when a connection has little enough unsent; undefined if it has now (P-9.12). */
  untilRead(connection: Connection): Promise<void> | undefined {
    return this.slow.until(connection);
  }

  /** Stops looking at deadlines. */
  stop(): void {
    this.slow.stop();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = Date.now();
    const elapsed = performance.now();
    for (const connection of this.connections) {
      if (connection.session !== null) this.sessions.check(connection, connection.session, now);
      else if (!connection.isObserver) this.checkHello(connection, elapsed);
      this.checkBacklog(connection, elapsed);
    }
  }

  private checkHello(connection: Connection, elapsed: number): void {
    if (elapsed - connection.openedAt < this.config.limits.helloTimeoutMs) return;
    if (connection.inFlight > 0) connection.bye(CloseCode.unavailable, 'the server is too slow');
    else connection.bye(CloseCode.helloTimeout, 'no hello succeeded in time');
  }

  /** Closes a reader that has stalled, or that has too much before it (P-9.12). */
  private checkBacklog(connection: Connection, elapsed: number): void {
    const buffered = connection.bufferedBytes;
    const left = connection.pushedBytes - buffered;
    const hasMoved = left > connection.leftBytes;
    connection.leftBytes = left;
    if (buffered === 0 || hasMoved) {
      connection.stalledSince = null;
    } else {
      connection.stalledSince ??= elapsed;
    }
    const { stallMs, backlogBytes } = this.config.limits;
    const stalled = connection.stalledSince !== null && elapsed - connection.stalledSince > stallMs;
    if (stalled || buffered > backlogBytes) {
      connection.bye(CloseCode.slowConsumer, 'reading too slowly');
    }
  }
}
