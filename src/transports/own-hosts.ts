import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

import { isLoopback } from '../limits/client-network.js';
import type { Config } from '../config/config.js';
import { parseHost, type Host } from '../config/hosts.js';
import type { ClientAddresses } from './client-addresses.js';

/**
 * Decides which host names may address the server (P-10.5).
 *
 * A page of another site can make its own name resolve to an address of this machine. The browser
 * then takes the server for the origin of the page (DNS rebinding). Such a request is sent from
 * this machine, with a host name that is not one of the server.
 */
export class OwnHosts {
  private readonly names: ReadonlySet<string>;
  private readonly isListed: boolean;

  constructor(
    { hosts, origins = [] }: Pick<Config, 'hosts' | 'origins'>,
    private readonly addresses: ClientAddresses,
  ) {
    this.isListed = hosts !== undefined;
    const own = hosts ?? [hostname(), `${hostname()}.local`];
    const all = [...own, ...origins.filter(isOfWeb).map((origin) => new URL(origin).host)];
    this.names = new Set(all.flatMap((host) => parseHost(host)?.name ?? []));
  }

  /** Returns whether a request may address the server as it does. */
  allows(request: IncomingMessage, { name }: Host): boolean {
    if (isAddress(name) || isLocalhost(name) || this.names.has(name)) return true;
    if (this.isListed) return false;
    return this.addresses.isByProxy(request) || !isFromThisMachine(request);
  }
}

/** Returns whether an origin is an HTTP origin, whose host can be compared. */
export function isOfWeb(origin: string): boolean {
  return /^https?:\/\//.test(origin) && URL.canParse(origin);
}

/** Returns whether a host is an address, which DNS cannot redirect. */
function isAddress(name: string): boolean {
  return name.startsWith('[') || isIP(name) !== 0;
}

function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

function isFromThisMachine({ socket }: IncomingMessage): boolean {
  const { remoteAddress = '', localAddress } = socket;
  return isLoopback(remoteAddress) || remoteAddress === localAddress;
}
