import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { Connection } from './connection.js';

/** Transports do not report when bytes have left, so connections with waiters are polled. */
const POLL_MS = 10;

interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

interface Backlog {
  /** Bytes that had left at the last check that saw progress. */
  sentBytes: number;
  /** Time of that check. */
  movedAt: number;
}

/** Connections that do not read fast enough (P-9.12). */
@Injectable()
export class SlowReaders {
  private readonly waiters = new Map<Connection, Waiter>();
  /** Connections that had unsent bytes at the last check. */
  private readonly backlogs = new Map<Connection, Backlog>();
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /**
   * Resolves when a connection has few enough unsent bytes or is closed; undefined if it has now.
   */
  until(connection: Connection): Promise<void> | undefined {
    if (this.isReady(connection)) return undefined;
    const waiter = this.waiters.get(connection) ?? newWaiter();
    this.waiters.set(connection, waiter);
    this.timer ??= setInterval(() => this.poll(), POLL_MS);
    return waiter.promise;
  }

  /** Closes a connection that has stalled or has too many unsent bytes; called regularly. */
  check(connection: Connection, now: number): void {
    const { bufferedBytes } = connection;
    if (bufferedBytes === 0) {
      this.backlogs.delete(connection);
      return;
    }
    const sentBytes = connection.totalBytes - bufferedBytes;
    const backlog = this.backlogs.get(connection);
    if (backlog === undefined) {
      this.backlogs.set(connection, { sentBytes, movedAt: now });
    } else if (sentBytes > backlog.sentBytes) {
      backlog.sentBytes = sentBytes;
      backlog.movedAt = now;
    }
    const { stallMs, backlogBytes } = this.config.limits;
    const hasStalled = backlog !== undefined && now - backlog.movedAt > stallMs;
    if (hasStalled || bufferedBytes > backlogBytes) {
      connection.bye(CloseCode.slowConsumer, 'reading too slowly');
    }
  }

  /** Forgets a connection that is closed. */
  forget(connection: Connection): void {
    this.backlogs.delete(connection);
  }

  /** Resolves all waiters and stops polling. */
  stop(): void {
    for (const { resolve } of this.waiters.values()) resolve();
    this.waiters.clear();
    this.stopPolling();
  }

  private poll(): void {
    for (const [connection, { resolve }] of this.waiters) {
      if (!this.isReady(connection)) continue;
      this.waiters.delete(connection);
      resolve();
    }
    if (this.waiters.size === 0) this.stopPolling();
  }

  private stopPolling(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private isReady(connection: Connection): boolean {
    return !connection.isOpen || connection.bufferedBytes <= this.config.limits.shedBytes;
  }
}

function newWaiter(): Waiter {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
