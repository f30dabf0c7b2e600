import { Injectable } from '@nestjs/common';

import type { Connection } from './connection.js';
import type { Link, Sink } from './transport.js';

/** What the core does for connections that may speak a dialect. */
export interface DialectCore {
  /** Takes a connection; undefined when it was told why not and closed. */
  open(link: Link): Connection | undefined;
  /** Takes one command from the rate of a connection; gives the milliseconds to wait, or 0. */
  charge(connection: Connection): number;
}

/** What stands between a transport and the core for connections that know no hello (P-10.7). */
export interface DialectPlug {
  accept(link: Link, core: DialectCore): Sink | undefined;
  /** Resolves when what a connection has sent is translated and answered; undefined if it is. */
  drained(connection: Connection): Promise<void> | undefined;
}

/** Where the dialects are plugged in, of which the chat itself knows nothing. */
@Injectable()
export class DialectPort {
  plug: DialectPlug | null = null;
}
