import type { IncomingMessage } from 'node:http';

import { Logger } from '@nestjs/common';

import { LogThrottle } from '../limits/log-throttle.js';
import type { Config } from '../config/config.js';
import { isOrigin, parseHost } from '../config/hosts.js';
import type { ClientAddresses } from './client-addresses.js';
import { isOfWeb, OwnHosts } from './own-hosts.js';

/** Minimum time between two log lines about one origin or host. */
const QUIET_MS = 600_000;
const MAX_LINES = 20;
/** Longer than any host name with its scheme and port. */
const SHOWN_CHARS = 300;

/** Decides which pages may connect, and logs the origins and hosts that it refuses (P-10.5). */
export class OriginPolicy {
  private readonly log = new Logger('Origins');
  private readonly throttle = new LogThrottle(QUIET_MS, MAX_LINES);
  private readonly hosts: OwnHosts;

  constructor(
    private readonly config: Pick<Config, 'hosts' | 'origins'>,
    addresses: ClientAddresses,
  ) {
    this.hosts = new OwnHosts(config, addresses);
  }

  /** Returns whether a request may connect, judged by its Host and Origin. */
  allows(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (!this.isHostAllowed(request)) {
      this.warn(`host ${host ?? ''}`, 'A request to this host was refused (403)', {
        ...this.describeHost(host),
      });
      return false;
    }
    if (origin === undefined || this.isOriginAllowed(origin, host)) return true;
    this.warn(`origin ${origin}`, 'A page of this origin may not connect (403)', {
      ...this.describeOrigin(origin, host),
      host,
    });
    return false;
  }

  /** Checks the Host; a request without one is HTTP/1.0, which no browser sends. */
  private isHostAllowed(request: IncomingMessage): boolean {
    const { host } = request.headers;
    if (host === undefined) return true;
    const parsed = parseHost(host);
    return parsed !== null && this.hosts.allows(request, parsed);
  }

  private isOriginAllowed(origin: string, host: string | undefined): boolean {
    if (this.config.origins?.includes(origin) === true) return true;
    const own = host === undefined ? null : parseHost(host);
    if (own === null || !isOfWeb(origin)) return false;
    return parseHost(new URL(origin).host)?.nameAndPort === own.nameAndPort;
  }

  private warn(key: string, msg: string, details: object): void {
    if (!this.throttle.admits(key)) return;
    this.log.warn({ msg, ...details });
    if (this.throttle.isFull) {
      this.log.warn({ msg: 'More origins and hosts are refused without a line here', minutes: 10 });
    }
  }

  /** Returns the host for the log only if it is valid: the client may have sent anything. */
  private describeHost(host = ''): { host?: string; advice: string } {
    const parsed = parseHost(host);
    if (parsed === null || host.length > SHOWN_CHARS)
      return { advice: 'Its Host header is not a host.' };
    const list = [...(this.config.hosts ?? []), parsed.name].join(',');
    return {
      host,
      advice:
        `If the server is reached by this name, start it with PARLANCE_HOSTS=${list}; ` +
        'if a proxy on this machine passes it on, with PARLANCE_TRUST_PROXY=loopback.',
    };
  }

  private describeOrigin(origin: string, host = ''): { origin?: string; advice: string } {
    if (origin === 'null') {
      return {
        origin,
        advice: 'A page opened from a file has no origin to allow: serve it over HTTP.',
      };
    }
    if (!isOrigin(origin) || origin.length > SHOWN_CHARS) {
      return { advice: 'Its Origin header is not an origin.' };
    }
    const list = [...(this.config.origins ?? []), origin].join(',');
    return {
      origin,
      advice: `${proxyAdvice(origin, host)}start the server with PARLANCE_ORIGINS=${list}`,
    };
  }
}

/** Names the usual cause if a proxy in front of the server changed the Host header. */
function proxyAdvice(origin: string, host: string): string {
  const own = parseHost(host);
  if (own === null || !isOfWeb(origin)) return 'To allow it, ';
  if (own.name === new URL(origin).hostname) {
    return 'If a proxy passes on Host without the port, have it send both ($http_host in nginx); otherwise ';
  }
  return 'If this is the server itself behind a proxy, have that pass on Host; otherwise ';
}
