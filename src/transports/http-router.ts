import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import type { RequestHandler, UpgradeHandler } from '../chat/transport.js';

interface Claim<Handler> {
  readonly owns: (path: string) => boolean;
  readonly handler: Handler;
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** Divides the requests and upgrades of one HTTP server among the transports, by path. */
export class HttpRouter {
  private readonly upgrades: Claim<UpgradeHandler>[] = [];
  private readonly requests: Claim<RequestHandler>[] = [];

  constructor(
    http: HttpServer,
    private readonly isOriginAllowed: (request: IncomingMessage) => boolean,
  ) {
    const app = http.listeners('request') as RequestListener[];
    http.removeAllListeners('request');
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const claim = this.requests.find(({ owns }) => owns(pathOf(request)));
      if (claim !== undefined) claim.handler(request, response);
      else for (const listener of app) listener.call(http, request, response);
    });
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.upgrade(request, socket, head);
    });
  }

  /** Gives upgrades of a path to a transport. */
  claimUpgrade(owns: (path: string) => boolean, handler: UpgradeHandler): void {
    this.upgrades.push({ owns, handler });
  }

  /** Gives requests of a path to a transport, before the app sees them. */
  claimRequests(owns: (path: string) => boolean, handler: RequestHandler): void {
    this.requests.push({ owns, handler });
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const claim = this.upgrades.find(({ owns }) => owns(pathOf(request)));
    if (claim === undefined) refuse(socket, '404 Not Found', 'Nothing speaks WebSocket here.');
    else if (!this.isOriginAllowed(request)) {
      refuse(socket, '403 Forbidden', 'Pages of this origin may not connect.');
    } else claim.handler(request, socket, head);
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function refuse(socket: Duplex, status: string, text: string): void {
  socket.on('error', () => socket.destroy());
  // Sockets of an HTTP server stay half open, and nobody else looks after this one any more.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`,
  );
}
