import { Injectable } from '@nestjs/common';

import type { RequestHandler, TransportHost } from '../chat/connections/transport.js';

type Owns = (path: string) => boolean;

/**
 * The HTTP routes of Parlance besides its transports.
 *
 * Like those of the transports, these requests are answered before the app sees them. So the
 * prefix, guards, pipes, filters and body parsers of the app do not change the protocol.
 */
@Injectable()
export class HttpRoutes {
  private readonly routes: { readonly owns: Owns; readonly handler: RequestHandler }[] = [];

  /** Whether an adapter serves these routes and the transports. */
  isAttached = false;

  /** Adds a handler; it calls `next` for requests that it does not answer. */
  add(owns: Owns, handler: RequestHandler): void {
    this.routes.push({ owns, handler });
  }

  /** Claims the requests; earlier claims of the transports take precedence. */
  attach(host: TransportHost): void {
    this.isAttached = true;
    for (const { owns, handler } of this.routes)
      host.claimRequests(owns, handler, { asksForBody: true });
  }
}
