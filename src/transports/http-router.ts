import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Logger } from '@nestjs/common';

import { LogThrottle } from '../limits/log-throttle.js';
import type {
  ClaimOptions,
  RequestHandler,
  UpgradeHandler,
} from '../chat/connections/transport.js';

interface Claim<Handler> {
  readonly owns: (path: string) => boolean;
  readonly handler: Handler;
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** Paths of our clients below a prefix that a proxy should have removed. */
const PREFIXED_PATH = /.\/(ws|socket\.io\/?|api\/files)$/;
const QUIET_MS = 600_000;
const NOT_FOUND = 404;
const NO_UPGRADE = {
  msg: 'A WebSocket request has no Upgrade header: a proxy in front of the server drops it',
  advice: 'Configure the proxy to pass on the headers Upgrade and Connection.',
};
const PREFIXED = {
  msg: 'A client requested an unknown path (404)',
  advice: 'If a proxy serves Parlance below a path, configure it to remove that path.',
};

/** Routes the requests and upgrades of one HTTP server to the transports, by path. */
export class HttpRouter {
  private readonly upgrades: Claim<UpgradeHandler>[] = [];
  private readonly requests: (Claim<RequestHandler> & ClaimOptions)[] = [];
  private readonly log = new Logger('Proxies');
  private readonly throttle = new LogThrottle(QUIET_MS, 2);

  constructor(
    http: HttpServer,
    private readonly isOriginAllowed: (request: IncomingMessage) => boolean,
  ) {
    const app = http.listeners('request') as RequestListener[];
    http.removeAllListeners('request');
    const bodyMs = http.requestTimeout;
    // It would end uploads that make progress; other bodies keep this limit.
    http.requestTimeout = 0;
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // By default, proxies drop the Upgrade header but not the headers that belong to it.
      if (request.headers['sec-websocket-key'] !== undefined) this.advise(NO_UPGRADE);
      this.watchForPrefix(request, response);
      const claim = this.findClaim(request);
      if (claim?.asksForBody !== true) limitBody(request, bodyMs);
      const next = (): void => {
        for (const listener of app) listener.call(http, request, response);
      };
      if (claim === undefined) next();
      else this.guard(request, () => claim.handler(request, response, next));
    });
    // An app that handles this event keeps its handler.
    if (http.listenerCount('checkContinue') === 0) {
      http.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        if (this.findClaim(request)?.asksForBody !== true) response.writeContinue();
        http.emit('request', request, response);
      });
    }
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.guard(request, () => this.upgrade(request, socket, head));
    });
  }

  /** Assigns the upgrades of a path to a transport. */
  claimUpgrade(owns: (path: string) => boolean, handler: UpgradeHandler): void {
    this.upgrades.push({ owns, handler });
  }

  /** Assigns the requests of a path to a transport, before the app sees them. */
  claimRequests(
    owns: (path: string) => boolean,
    handler: RequestHandler,
    options: ClaimOptions = {},
  ): void {
    this.requests.push({ owns, handler, ...options });
  }

  private findClaim(request: IncomingMessage): (Claim<RequestHandler> & ClaimOptions) | undefined {
    return this.requests.find(({ owns }) => owns(pathOf(request)));
  }

  /** Logs advice if a path that ends like one of ours is answered by 404. */
  private watchForPrefix(request: IncomingMessage, response: ServerResponse): void {
    if (!PREFIXED_PATH.test(pathOf(request))) return;
    response.once('finish', () => {
      if (response.statusCode === NOT_FOUND) this.advise(PREFIXED);
    });
  }

  private advise(line: { readonly msg: string; readonly advice: string }): void {
    if (this.throttle.admits(line.msg)) this.log.warn(line);
  }

  /** Runs a handler; if it throws, ends only the connection of its request. */
  private guard({ socket }: IncomingMessage, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.log.error({ msg: 'The handler of a request failed', err: error });
      socket.destroy();
    }
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const claim = this.upgrades.find(({ owns }) => owns(pathOf(request)));
    if (claim === undefined) {
      if (PREFIXED_PATH.test(pathOf(request))) this.advise(PREFIXED);
      refuse(socket, '404 Not Found', 'There is no WebSocket at this path.');
    } else if (!this.isOriginAllowed(request)) {
      refuse(socket, '403 Forbidden', 'Pages of this origin may not connect.');
    } else claim.handler(request, socket, head);
  }
}

/** Ends the connection if a body is not complete within `ms` milliseconds. */
function limitBody(request: IncomingMessage, ms: number): void {
  const { headers } = request;
  const hasBody = headers['content-length'] !== undefined || 'transfer-encoding' in headers;
  if (!hasBody || ms === 0) return;
  const timer = setTimeout(() => request.destroy(), ms).unref();
  const clear = (): void => clearTimeout(timer);
  request.once('end', clear).once('close', clear);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function refuse(socket: Duplex, status: string, text: string): void {
  socket.on('error', () => socket.destroy());
  // Sockets of an HTTP server stay half open, and Node.js no longer manages this one.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`,
  );
}
