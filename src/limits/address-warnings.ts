import { Inject, Injectable, Logger } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { limitVariable } from '../config/options.js';
import type { LimitName } from '../protocol/limits.js';
import { networkOf } from './client-network.js';
import { LogThrottle } from './log-throttle.js';

const HOUR_MS = 3_600_000;
/** Maximum number of lines per hour, each about another address. */
const MAX_LINES = 100;
const BEHIND_PROXY =
  'If the address is that of a proxy, name it in PARLANCE_TRUST_PROXY, so that clients are ' +
  'counted by their own addresses';

/** Logs, at most once an hour for each address, that its clients are refused. */
@Injectable()
export class AddressWarnings {
  private readonly log = new Logger('Addresses');
  private readonly limits = new LogThrottle(HOUR_MS, MAX_LINES);
  private readonly proxies = new LogThrottle(HOUR_MS, MAX_LINES);

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Logs that an address has reached a limit, with the setting that raises it. */
  atLimit(address: string, limit: LimitName): void {
    const network = networkOf(address);
    if (!this.limits.admits(`${limit} ${network}`)) return;
    const setting = limitVariable(limit);
    this.log.warn({
      msg: 'An address is at its limit',
      address: network,
      limit,
      value: this.config.limits[limit],
      advice: `${BEHIND_PROXY}. If many people share the address, raise ${setting}.`,
    });
  }

  /** Logs that a peer that is not a trusted proxy sends X-Forwarded-For. */
  untrustedProxy(peer: string): void {
    if (!this.proxies.admits(networkOf(peer))) return;
    this.log.warn({
      msg: 'X-Forwarded-For of this address is ignored',
      address: peer,
      advice: `${BEHIND_PROXY}: PARLANCE_TRUST_PROXY=${[...this.config.trustProxy, peer].join(',')}`,
    });
  }
}
