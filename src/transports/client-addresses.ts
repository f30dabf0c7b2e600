import type { IncomingMessage } from 'node:http';

import proxyAddr from 'proxy-addr';

import { isLoopback, parseAddress } from '../limits/client-network.js';

/** An address with an optional port: `203.0.113.7:1001`, `[2001:db8::1]:1001`. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([^[\]]*?))(?::[\w.-]*)?$/;
const QUOTED = /^"(.*)"$/;

/** Finds the address of a client behind the proxies that the operator trusts (P-9.11). */
export class ClientAddresses {
  private readonly trusts: (address: string, hop: number) => boolean;

  /** `onUntrusted` is called with the peer of a request whose X-Forwarded-For is ignored. */
  constructor(
    trusted: readonly string[],
    private readonly onUntrusted: (peer: string) => void = () => undefined,
  ) {
    this.trusts = proxyAddr.compile([...trusted]);
  }

  /**
   * Returns the address of the client: the last one that is not a trusted proxy.
   *
   * Each proxy appends the address of its peer. Clients behind an entry such as `unknown` count
   * together as the proxy that sent it. On loopback they are limited all the same, because they
   * are not on this machine.
   */
  of(request: IncomingMessage): string {
    const peer = peerOf(request);
    const forwarded = forwardedIn(request);
    if (forwarded.length > 0 && !this.isTrusted(peer)) this.onUntrusted(peer);
    let address = peer;
    for (const entry of forwarded) {
      if (!this.isTrusted(address)) break;
      const next = addressIn(entry);
      if (next === null) return isLoopback(address) ? `behind ${address}` : address;
      address = next;
    }
    return address;
  }

  /** Returns whether the peer of a request is a trusted proxy. */
  isByProxy(request: IncomingMessage): boolean {
    return this.isTrusted(peerOf(request));
  }

  /** Returns whether an address is that of a trusted proxy. */
  isTrusted(address: string): boolean {
    return parseAddress(address) !== null && this.trusts(address, 0);
  }
}

/** Returns the address of the other end of a socket; '' once the socket is gone. */
function peerOf(request: IncomingMessage): string {
  const { remoteAddress = '' } = request.socket;
  return parseAddress(remoteAddress)?.toString() ?? remoteAddress;
}

/** Returns the entries of X-Forwarded-For, the one of the nearest proxy first. */
function forwardedIn({ headers }: IncomingMessage): string[] {
  const values = headers['x-forwarded-for'] ?? [];
  const entries = [values].flat().join(',').split(',');
  return entries
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .reverse();
}

function addressIn(entry: string): string | null {
  const [, unquoted = entry] = QUOTED.exec(entry) ?? [];
  const whole = parseAddress(unquoted);
  if (whole !== null) return whole.toString();
  const [, bracketed, plain = ''] = WITH_PORT.exec(unquoted) ?? [];
  return parseAddress(bracketed ?? plain.trim())?.toString() ?? null;
}
