import { BlockList } from 'node:net';

import type { Place } from './transport.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** The connections of each address, counted (P-9.11). */
export class AddressLimit {
  private readonly within = new Map<string, number>();
  private readonly beyond = new Map<string, number>();

  constructor(private readonly max: number) {}

  /** Takes a place within the limit; null if there is none. */
  take(address: string): Place | null {
    const taken = this.within.get(address) ?? 0;
    if (taken >= this.max && !isLoopback(address)) return null;
    return new CountedPlace(this.within, address, true);
  }

  /** Takes a place, also past the limit while few of an address are there; null otherwise. */
  reserve(address: string): Place | null {
    const place = this.take(address);
    if (place !== null) return place;
    const waiting = this.beyond.get(address) ?? 0;
    return waiting < this.max ? new CountedPlace(this.beyond, address, false) : null;
  }
}

class CountedPlace implements Place {
  constructor(
    private readonly counts: Map<string, number>,
    private readonly address: string,
    readonly isWithin: boolean,
  ) {
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }

  release(): void {
    const count = this.counts.get(this.address) ?? 0;
    if (count > 1) this.counts.set(this.address, count - 1);
    else this.counts.delete(this.address);
  }
}

/** Tells whether an address is of this machine itself; such addresses have no limit. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return loopback.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
}
