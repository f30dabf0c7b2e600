import { isLoopback, networkOf } from './client-network.js';
import type { Place } from './transport.js';

/** The connections of each address, counted (P-9.11). */
export class AddressLimit {
  private readonly within = new Map<string, number>();
  private readonly beyond = new Map<string, number>();

  constructor(private readonly max: number) {}

  /** Takes a place within the limit; null if there is none. */
  take(address: string): Place | null {
    const network = networkOf(address);
    const taken = this.within.get(network) ?? 0;
    if (taken >= this.max && !isLoopback(address)) return null;
    return new CountedPlace(this.within, network, true);
  }

  /** Takes a place, also past the limit while few of an address are there; null otherwise. */
  reserve(address: string): Place | null {
    const place = this.take(address);
    if (place !== null) return place;
    const network = networkOf(address);
    const waiting = this.beyond.get(network) ?? 0;
    return waiting < this.max ? new CountedPlace(this.beyond, network, false) : null;
  }
}

class CountedPlace implements Place {
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
