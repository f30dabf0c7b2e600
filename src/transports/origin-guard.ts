import type { IncomingMessage } from 'node:http';

import { Logger } from '@nestjs/common';

import { isOriginAllowed } from './origin.js';

/** How long an origin that was told is not told again. */
const QUIET_MS = 600_000;
/** Origins told in that time: somebody can make up as many as they like. */
const MOST_TOLD = 20;
/** More than any name of a host has, with its scheme and port. */
const SHOWN_CHARS = 300;
const REFUSED = 'A page of this origin may not connect (403)';

/** Lets pages in by their Origin, and tells the operator of each that it keeps out (P-10.5). */
export class OriginGuard {
  private readonly log = new Logger('Origins');
  private readonly told = new Set<string>();
  private since = performance.now();

  constructor(private readonly origins: readonly string[] | undefined) {}

  /** Tells whether a request may connect as far as its Origin goes. */
  allows(request: IncomingMessage): boolean {
    if (isOriginAllowed(request, this.origins)) return true;
    const { origin = '', host } = request.headers;
    if (this.isNews(origin)) this.tell(origin, host);
    return false;
  }

  private isNews(origin: string): boolean {
    const now = performance.now();
    if (now - this.since > QUIET_MS) {
      this.told.clear();
      this.since = now;
    }
    if (this.told.size >= MOST_TOLD || this.told.has(origin)) return false;
    this.told.add(origin);
    return true;
  }

  private tell(origin: string, host: string | undefined): void {
    this.log.warn({ msg: REFUSED, ...this.describe(origin), host });
    if (this.told.size === MOST_TOLD) {
      this.log.warn({ msg: 'More origins are refused without a line here', minutes: 10 });
    }
  }

  /** Shows what can be an origin, and nothing else that a client may have put there. */
  private describe(origin: string): { origin?: string; advice: string } {
    if (origin === 'null') {
      return { origin, advice: 'A page from a file has no origin to allow: serve it over HTTP.' };
    }
    const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin;
    if (!isOrigin || origin.length > SHOWN_CHARS) {
      return { advice: 'It sent what is no origin of a page.' };
    }
    const list = [...(this.origins ?? []), origin].join(',');
    return { origin, advice: `To allow it, start the server with PARLANCE_ORIGINS=${list}` };
  }
}
