import type { Connection } from './connection.js';

/** No transport tells when bytes have left, so those for whom something waits are looked at. */
const LOOK_MS = 10;

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** Connections for which something waits until they have read more (P-9.12). */
export class SlowReaders {
  private readonly waiting = new Map<Connection, Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly mostBytes: number) {}

  /** Resolves when a connection has little enough unsent or is gone; undefined if it is so now. */
  until(connection: Connection): Promise<void> | undefined {
    if (this.isReady(connection)) return undefined;
    const waiting = this.waiting.get(connection) ?? startWaiting();
    this.waiting.set(connection, waiting);
    this.timer ??= setInterval(() => this.look(), LOOK_MS);
    return waiting.promise;
  }

  /** Lets everybody go. */
  stop(): void {
    for (const { resolve } of this.waiting.values()) resolve();
    this.waiting.clear();
    this.rest();
  }

  private look(): void {
    for (const [connection, { resolve }] of this.waiting) {
      if (!this.isReady(connection)) continue;
      this.waiting.delete(connection);
      resolve();
    }
    if (this.waiting.size === 0) this.rest();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private isReady(connection: Connection): boolean {
    return !connection.isOpen || connection.bufferedBytes <= this.mostBytes;
  }
}

function startWaiting(): Waiting {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
