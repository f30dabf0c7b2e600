import type { OpenConnections } from '../chat/open-connections.js';
import { reconnectDelay } from '../chat/connections/connection.js';
import { CloseCode } from '../protocol/close-codes.js';

/** Time without bus and database after which clients are better off with another server. */
const ISOLATED_MS = 10_000;

/** Sends clients to other servers when this one has had neither bus nor database for 10 s. */
export class Isolation {
  private since: number | undefined;

  constructor(private readonly connections: OpenConnections) {}

  /** Notes whether this server has neither now; `now` is in milliseconds. */
  note(isCutOff: boolean, now: number): void {
    if (!isCutOff) this.since = undefined;
    else if (now - (this.since ??= now) >= ISOLATED_MS) this.sendAway();
  }

  private sendAway(): void {
    for (const connection of [...this.connections.all()]) {
      connection.bye(CloseCode.unavailable, 'the server is cut off', reconnectDelay());
    }
  }
}
