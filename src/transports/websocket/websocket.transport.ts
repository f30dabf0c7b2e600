import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocket, WebSocketServer, type Server, type ServerOptions } from 'ws';

import type { ChatTransport, Handshake, TransportHost } from '../../chat/transport.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { SUBPROTOCOL, SUBPROTOCOL_PREFIX } from '../../protocol/version.js';
import { WebSocketLink } from './websocket.link.js';

const PATH = '/ws';
const CLOSE_MS = 5_000;
const BEATS = 10;
const BEARER = /^Bearer +(\S+)$/i;

/** A WebSocket that knows its link, so that one set of listeners serves all of them. */
class LinkedWebSocket extends WebSocket {
  link: WebSocketLink | undefined;
}

/** The protocol over plain WebSocket, at `/ws` (P-10.2). */
export class WebSocketTransport implements ChatTransport {
  readonly name = 'websocket';
  private readonly links = new Set<WebSocketLink>();
  private server: Server<typeof LinkedWebSocket> | undefined;
  private timer: NodeJS.Timeout | undefined;

  attach(host: TransportHost): void {
    const { frameBytes, fragments, heartbeatIntervalMs, heartbeatTimeoutMs } = host.limits;
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: frameBytes,
      maxFragments: fragments,
      closeTimeout: CLOSE_MS,
      WebSocket: LinkedWebSocket,
      handleProtocols: chooseSubprotocol,
    } as ServerOptions<typeof LinkedWebSocket>);
    host.claimUpgrade(
      (path) => path === PATH,
      (request, socket, head) => {
        this.server?.handleUpgrade(request, socket, head, (webSocket) => {
          this.open(host, request, socket, webSocket);
        });
      },
    );
    const period = Math.min(heartbeatIntervalMs, heartbeatTimeoutMs) / BEATS;
    this.timer = setInterval(() => this.beat(), period);
  }

  close(): Promise<void> {
    clearInterval(this.timer);
    this.server?.close();
    return Promise.resolve();
  }

  private open(
    host: TransportHost,
    request: IncomingMessage,
    stream: Duplex,
    socket: LinkedWebSocket,
  ): void {
    const { heartbeatIntervalMs: intervalMs, heartbeatTimeoutMs: timeoutMs } = host.limits;
    const link = new WebSocketLink(randomUUID(), socket, stream, { intervalMs, timeoutMs });
    socket.link = link;
    socket.on('message', onMessage);
    socket.on('ping', onSignOfLife);
    socket.on('pong', onSignOfLife);
    socket.on('error', onError);
    socket.on('close', onClose);
    this.links.add(link);
    link.links = this.links;
    link.sink = host.accept(link, handshakeOf(host, request, socket.protocol));
  }

  private beat(): void {
    const now = performance.now();
    for (const link of this.links) link.beat(now);
  }
}

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  (this as LinkedWebSocket).link?.receive(data as Buffer, isBinary);
}

function onSignOfLife(this: WebSocket): void {
  (this as LinkedWebSocket).link?.signOfLife();
}

function onError(this: WebSocket): void {
  // ws has closed the connection with the code of the breach; `close` follows (P-4.6).
}

function onClose(this: WebSocket, code: number): void {
  (this as LinkedWebSocket).link?.ended(code);
}

/** Echoes ours; echoes a version of ours that is not spoken here too, to be able to say why. */
function chooseSubprotocol(offered: Set<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL;
  return [...offered].find((name) => name.startsWith(SUBPROTOCOL_PREFIX)) ?? false;
}

function handshakeOf(
  host: TransportHost,
  request: IncomingMessage,
  subprotocol: string,
): Handshake {
  const { searchParams } = new URL(request.url ?? PATH, 'ws://localhost');
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  const name = searchParams.get('name');
  const hello = {
    ...(name === null ? {} : { name }),
    ...(token === undefined ? {} : { token }),
  };
  const misplacedToken = searchParams.has('token');
  return {
    headers: request.headers,
    url: request.url ?? PATH,
    remoteAddress: host.remoteAddress(request),
    subprotocol,
    ...(Object.keys(hello).length === 0 ? {} : { hello }),
    ...refusalOf(subprotocol),
    ...(misplacedToken ? { misplacedToken } : {}),
  };
}

function refusalOf(subprotocol: string): Pick<Handshake, 'refusal'> {
  if (subprotocol === '' || subprotocol === SUBPROTOCOL) return {};
  const reason = `this server speaks ${SUBPROTOCOL}`;
  return { refusal: { code: CloseCode.unsupportedVersion, reason } };
}
