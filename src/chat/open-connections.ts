import { BlockList } from 'node:net';

import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { Connection } from './connection.js';
import { SessionsService } from './sessions.service.js';

const LOOK_MS = 250;
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** All open connections: their number by address, and a regular look at their deadlines. */
@Injectable()
export class OpenConnections implements OnModuleDestroy {
  private readonly connections = new Set<Connection>();
  private readonly byAddress = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private emptied: (() => void) | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(SessionsService) private readonly sessions: SessionsService,
  ) {}

  onModuleDestroy(): void {
    this.stop();
  }

  /** Gives every open connection. */
  all(): Iterable<Connection> {
    return this.connections;
  }

  /** Adds a connection; false if its address has too many (P-9.11). */
  add(connection: Connection): boolean {
    const address = connection.handshake.remoteAddress;
    const count = this.byAddress.get(address) ?? 0;
    if (count >= this.config.limits.connectionsPerAddress && !isLoopback(address)) return false;
    this.byAddress.set(address, count + 1);
    this.connections.add(connection);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
    return true;
  }

  /** Removes a connection. */
  remove(connection: Connection): void {
    if (!this.connections.delete(connection)) return;
    const address = connection.handshake.remoteAddress;
    const count = this.byAddress.get(address) ?? 1;
    if (count > 1) this.byAddress.set(address, count - 1);
    else this.byAddress.delete(address);
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

  /** Stops looking at deadlines. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = Date.now();
    const elapsed = performance.now();
    for (const connection of this.connections) {
      if (connection.session !== null) this.sessions.check(connection, connection.session, now);
      else this.checkHello(connection, elapsed);
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
    const buffered = connection.link.bufferedBytes;
    const left = connection.pushedBytes - buffered;
    if (buffered === 0 || left !== connection.leftBytes) {
      connection.leftBytes = left;
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

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return loopback.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
}
