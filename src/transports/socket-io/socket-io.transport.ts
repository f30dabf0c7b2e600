import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { Logger } from '@nestjs/common';
import express from 'express';
import type { Socket as EngineSocket } from 'engine.io';
import { Server, type Socket } from 'socket.io';
import { Decoder, Encoder } from 'socket.io-parser';
import type { WebSocket } from 'ws';

import { LogThrottle } from '../../limits/log-throttle.js';
import type { ChatTransport, Handshake, TransportHost } from '../../chat/connections/transport.js';
import { FrameCloseCode } from '../../protocol/close-codes.js';
import { isJsonObject } from '../../protocol/codec.js';
import type { Outcome } from '../../protocol/frames.js';
import { CountingEngine } from './counting-engine.js';
import { webSocketServerFor } from './engine-web-socket.js';
import { SocketIoLink } from './socket-io.link.js';
import type { ConnectionSlot } from '../../limits/address-limit.js';

const PATH = '/socket.io/';
const QUIET_MS = 600_000;
const BINARY_PACKET = {
  msg: 'A Socket.IO client sent a binary packet and was closed: only text packets are accepted',
  advice: 'Use the default parser in the client instead of one such as socket.io-msgpack-parser.',
};
const INTERVAL_MS = 25_000;
const TIMEOUT_MS = 20_000;
const BY_CLIENT = 'client namespace disconnect';
const CLIENT_FILE = /^[\w.-]+\.js(\.map)?$/;

/** A socket that knows its link, so that one set of listeners serves all of them. */
type LinkedSocket = Socket & { link?: SocketIoLink };

/** An engine with its address and slot; its first request may be gone later. */
type CountedEngine = EngineSocket & {
  address?: string;
  slot?: ConnectionSlot;
  isConnected?: boolean;
  link?: SocketIoLink;
};

/** A packet of engine.io: a message, a ping or a pong. */
interface EnginePacket {
  readonly data?: string | Buffer;
}

/** An event as parsed by Socket.IO. */
interface EventPacket {
  readonly data?: unknown[];
  readonly id?: number;
}

/** Refuses binary attachments, which the protocol does not use. */
class TextDecoder extends Decoder {
  constructor() {
    super({ maxAttachments: 0 } as ConstructorParameters<typeof Decoder>[0]);
  }
}

/** The protocol over Socket.IO, including polling and older clients (P-10.3). */
export class SocketIoTransport implements ChatTransport {
  readonly name = 'socket.io';
  private readonly logger = new Logger('Connections');
  private readonly throttle = new LogThrottle(QUIET_MS, 1);

  constructor(readonly server: Server = new Server()) {}

  /** Creates the Socket.IO server, not yet bound to an HTTP server. */
  static create(helloTimeoutMs: number): SocketIoTransport {
    const options = {
      serveClient: false,
      connectTimeout: helloTimeoutMs,
      parser: { Encoder, Decoder: TextDecoder },
    };
    return new SocketIoTransport(new Server(options));
  }

  attach(host: TransportHost): void {
    const { frameBytes, fragments, pollingPackets } = host.limits;
    const engine = new CountingEngine(
      {
        allowEIO3: true,
        pingInterval: INTERVAL_MS,
        pingTimeout: TIMEOUT_MS,
        maxHttpBufferSize: frameBytes,
        perMessageDeflate: false,
        httpCompression: false,
        wsEngine: webSocketServerFor(fragments),
        ...(host.origins === undefined ? {} : { cors: corsFor(host.origins) }),
      },
      pollingPackets,
    );
    this.server.bind(engine);
    engine.on('connection', (opened: CountedEngine) => {
      count(host, opened);
      // Socket.IO would close without a reason, so this listener goes first.
      opened.prependListener('data', (data: unknown) => this.refuseBinary(opened, data));
    });
    this.server.on('connection', (socket) => this.open(host, socket));
    const root = host.path + PATH;
    const owns = (path: string) => path === root || path === root.slice(0, -1);
    host.claimUpgrade(owns, (request, socket, head) => {
      engine.handleUpgrade(request, socket, head);
    });
    host.claimRequests(owns, (request, response) => {
      if (!host.isOriginAllowed(request)) {
        response.writeHead(403).end('Pages of this origin may not connect.');
        return;
      }
      engine.handleRequest(request, response);
    });
    this.serveClient(host, root);
  }

  async close(): Promise<void> {
    this.server.disconnectSockets(true);
    this.server.engine.close();
    await Promise.resolve();
  }

  private refuseBinary(engine: CountedEngine, data: unknown): void {
    if (typeof data === 'string') return;
    const { transport } = engine as unknown as { transport: { socket?: WebSocket } };
    transport.socket?.close(FrameCloseCode.unsupportedData, 'text packets only');
    if (this.throttle.admits('binary')) this.logger.warn(BINARY_PACKET);
  }

  private open(host: TransportHost, socket: Socket): void {
    const engine: CountedEngine = socket.conn;
    // Socket.IO lets a client connect again during its first attempt.
    if (engine.isConnected === true) {
      engine.close(true);
      return;
    }
    engine.isConnected = true;
    const link = new SocketIoLink(socket, { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS });
    Object.assign(socket, { link, onevent: onEvent });
    engine.link = link;
    engine.on('packet', onPacket);
    socket.on('disconnect', onDisconnect);
    link.sink = host.accept(link, handshakeOf(socket));
  }

  /** Serves the browser client of Socket.IO, like a plain Socket.IO server. */
  private serveClient(host: TransportHost, root: string): void {
    const home = dirname(createRequire(import.meta.url).resolve('socket.io/package.json'));
    const app = express().disable('x-powered-by');
    const files = app.use(root, express.static(join(home, 'client-dist'), { index: false }));
    const owns = (path: string) =>
      path.startsWith(root) && CLIENT_FILE.test(path.slice(root.length));
    host.claimRequests(owns, files);
  }
}

/**
 * Receives an event of the client instead of Socket.IO's dispatch to listeners.
 *
 * This exposes the id of the acknowledgement, which can then leave in one write with events.
 */
function onEvent(this: LinkedSocket, { data, id }: EventPacket): void {
  const { link } = this;
  if (link === undefined) return;
  const reply = id === undefined ? undefined : (outcome: Outcome) => link.acknowledge(id, outcome);
  // A packet may have no data.
  const [name, ...values] = Array.isArray(data) ? data : [];
  if (typeof name !== 'string') {
    link.sink?.malformed('The name of a command is a string.', reply);
    return;
  }
  // No command has several arguments: the schema refuses the list.
  const sent = values.length > 1 ? values : values[0];
  link.sink?.command({ name, data: sent, ...(reply === undefined ? {} : { reply }) });
}

/** Charges a packet; engine.io emits the event before it handles the packet. */
function onPacket(this: CountedEngine, { data }: EnginePacket): void {
  this.link?.sink?.heard(data?.length ?? 0);
}

/** Counts an engine from its start, since it costs as much as a connection (P-9.11). */
function count(host: TransportHost, engine: CountedEngine): void {
  const address = host.remoteAddress(engine.request);
  const slot = host.reserve(address);
  if (slot === null) {
    engine.close(true);
    return;
  }
  Object.assign(engine, { address, slot });
  engine.once('close', () => slot.release());
}

function onDisconnect(this: LinkedSocket, reason: string): void {
  // The engine could connect as another user, and would have no user until then.
  if (reason === BY_CLIENT) this.conn.close(true);
  this.link?.sink?.closed(FrameCloseCode.normal, reason);
}

/**
 * Allows pages of the listed origins to read polling responses.
 *
 * Clients of Socket.IO 1.x and 2.x send credentials, and could not read responses otherwise. The
 * server ignores credentials: a cookie does not authenticate.
 */
function corsFor(origins: readonly string[]): { origin: string[]; credentials: boolean } {
  return { origin: [...origins], credentials: true };
}

function handshakeOf(socket: Socket): Handshake {
  const { auth } = socket.handshake as { auth: unknown };
  const { address = '', slot }: CountedEngine = socket.conn;
  return {
    headers: socket.request.headers,
    url: socket.request.url ?? PATH,
    remoteAddress: address,
    ...(slot === undefined ? {} : { slot }),
    ...(isJsonObject(auth) && Object.keys(auth).length > 0 ? { hello: auth } : { isSilent: true }),
  };
}
