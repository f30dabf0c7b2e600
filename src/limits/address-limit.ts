import { isLoopback, networkOf } from './client-network.js';

/** Connections of one address past its limit that may wait for their `bye` at the same time. */
const MAX_BEYOND = 32;

/** One counted connection of an address (P-9.11). */
export interface ConnectionSlot {
  /** Whether the limit allows the connection; if not, the server says so and closes it. */
  readonly isWithin: boolean;
  /** Frees the slot; called once, when nothing is left of the connection. */
  release(): void;
}

/** Counts the connections of each address (P-9.11). */
export class AddressLimit {
  private readonly within = new Map<string, number>();
  private readonly beyond = new Map<string, number>();

  /** Calls `onFull` with the address of each connection that it refuses. */
  constructor(
    private readonly max: number,
    private readonly onFull: (address: string) => void,
  ) {}

  /** Reserves a slot within the limit; returns null if the address has none left. */
  acquire(address: string): ConnectionSlot | null {
    const network = networkOf(address);
    const count = this.within.get(network) ?? 0;
    if (count >= this.max && !isLoopback(address)) {
      this.onFull(address);
      return null;
    }
    return new CountedSlot(this.within, network, true);
  }

  /**
   * Reserves a slot, within the limit or past it.
   *
   * A few connections past the limit get a slot until they have received `bye`; others get null.
   */
  acquireOrExceed(address: string): ConnectionSlot | null {
    const slot = this.acquire(address);
    if (slot !== null) return slot;
    const network = networkOf(address);
    const waiting = this.beyond.get(network) ?? 0;
    return waiting < Math.min(this.max, MAX_BEYOND)
      ? new CountedSlot(this.beyond, network, false)
      : null;
  }
}

class CountedSlot implements ConnectionSlot {
  constructor(
    private readonly counts: Map<string, number>,
    private readonly network: string,
    readonly isWithin: boolean,
  ) {
    counts.set(network, (counts.get(network) ?? 0) + 1);
  }

  release(): void {
    const count = this.counts.get(this.network) ?? 0;
    if (count > 1) this.counts.set(this.network, count - 1);
    else this.counts.delete(this.network);
  }
}
