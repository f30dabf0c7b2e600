import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer, type Server, type ServerOptions } from 'ws';

import type { ChatTransport, Handshake, TransportHost } from '../../chat/connections/transport.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { SUBPROTOCOL, SUBPROTOCOL_PREFIX } from '../../protocol/version.js';
import { LinkedWebSocket, WebSocketLink, type CountingStream } from './websocket.link.js';
import type { ConnectionSlot } from '../../limits/address-limit.js';

const PATH = '/ws';
const CLOSE_MS = 5_000;
const BEATS = 10;
const BEARER = /^Bearer +(\S+)$/i;

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
      (path) => path === host.path + PATH,
      (request, socket, head) => this.upgrade(host, request, socket, head),
    );
    host.claimRequests((path) => path === host.path + PATH, askForUpgrade);
    const period = Math.min(heartbeatIntervalMs, heartbeatTimeoutMs) / BEATS;
    this.timer = setInterval(() => this.beat(), period);
  }

  close(): Promise<void> {
    clearInterval(this.timer);
    this.server?.close();
    return Promise.resolve();
  }

  /** Reserves a slot before the handshake, since a refused connection takes time too (P-9.11). */
  private upgrade(
    host: TransportHost,
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
  ): void {
    const remoteAddress = host.remoteAddress(request);
    const slot = host.reserve(remoteAddress);
    if (slot === null) {
      stream.destroy();
      return;
    }
    stream.once('close', () => slot.release());
    this.server?.handleUpgrade(request, stream, head, (webSocket) => {
      const handshake = handshakeOf(request, webSocket.protocol, { remoteAddress, slot });
      this.open(host, stream, webSocket, handshake);
    });
  }

  private open(
    host: TransportHost,
    stream: Duplex,
    socket: LinkedWebSocket,
    handshake: Handshake,
  ): void {
    const { heartbeatIntervalMs: intervalMs, heartbeatTimeoutMs: timeoutMs } = host.limits;
    const heartbeat = { intervalMs, timeoutMs };
    const link = new WebSocketLink(
      randomUUID(),
      socket,
      stream as CountingStream,
      heartbeat,
      this.links,
    );
    this.links.add(link);
    link.sink = host.accept(link, handshake);
  }

  private beat(): void {
    const now = performance.now();
    for (const link of this.links) link.beat(now);
  }
}

/** Echoes our subprotocol, even another version of it, so that `bye` can say why it is refused. */
function chooseSubprotocol(offered: Set<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL;
  return [...offered].find((name) => name.startsWith(SUBPROTOCOL_PREFIX)) ?? false;
}

/** Answers a request without upgrade: from another kind of client, or behind a proxy. */
function askForUpgrade(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Content-Type': 'text/plain',
  });
  response.end('Connect by WebSocket: a proxy must pass on the headers Upgrade and Connection.\n');
}

function handshakeOf(
  request: IncomingMessage,
  subprotocol: string,
  counted: { readonly remoteAddress: string; readonly slot: ConnectionSlot },
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
    ...counted,
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
