import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import express from 'express';
import type { Socket as EngineSocket } from 'engine.io';
import { Server, type Socket } from 'socket.io';
import { Decoder, Encoder } from 'socket.io-parser';

import type { ChatTransport, Handshake, Place, TransportHost } from '../../chat/transport.js';
import { FrameCloseCode } from '../../protocol/close-codes.js';
import { isJsonObject } from '../../protocol/codec.js';
import type { Outcome } from '../../protocol/frames.js';
import { CountingEngine, webSocketServerFor } from './engine.js';
import { SocketIoLink } from './socket-io.link.js';

const PATH = '/socket.io/';
const INTERVAL_MS = 25_000;
const TIMEOUT_MS = 20_000;
const BY_CLIENT = 'client namespace disconnect';
const CLIENT_FILE = /^\/socket\.io\/[\w.-]+\.js(\.map)?$/;

/** A socket that knows its link, so that one set of listeners serves all of them. */
type LinkedSocket = Socket & { link?: SocketIoLink };

/** An engine that is counted at its address; its first request, which tells that, may be gone. */
type CountedEngine = EngineSocket & { address?: string; place?: Place; isTaken?: boolean };

/** An event as the parser of Socket.IO gives it. */
interface EventPacket {
  readonly data?: unknown[];
  readonly id?: number;
}

/** Refuses binary attachments, which the protocol has no use for. */
class TextDecoder extends Decoder {
  constructor() {
    super({ maxAttachments: 0 } as ConstructorParameters<typeof Decoder>[0]);
  }
}

/** The protocol over Socket.IO, its polling and older clients included (P-10.3). */
export class SocketIoTransport implements ChatTransport {
  readonly name = 'socket.io';

  constructor(readonly server: Server = new Server()) {}

  /** Makes the Socket.IO server, which is bound to no HTTP server yet. */
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
    engine.on('connection', (opened: CountedEngine) => count(host, opened));
    this.server.on('connection', (socket) => this.open(host, socket));
    const owns = (path: string) => path === PATH || path === PATH.slice(0, -1);
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
    this.serveClient(host);
  }

  async close(): Promise<void> {
    this.server.disconnectSockets(true);
    this.server.engine.close();
    await Promise.resolve();
  }

  private open(host: TransportHost, socket: Socket): void {
    const engine: CountedEngine = socket.conn;
    // Socket.IO lets a client connect again while its first attempt is under way.
    if (engine.isTaken === true) {
      engine.close(true);
      return;
    }
    engine.isTaken = true;
    const link = new SocketIoLink(socket, { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS });
    Object.assign(socket, { link, onevent: onEvent });
    socket.on('disconnect', onDisconnect);
    link.sink = host.accept(link, handshakeOf(socket));
  }

  /** Serves the browser client of Socket.IO, as a Socket.IO server does by itself. */
  private serveClient(host: TransportHost): void {
    const home = dirname(createRequire(import.meta.url).resolve('socket.io/package.json'));
    const files = express().use(PATH, express.static(join(home, 'client-dist'), { index: false }));
    host.claimRequests((path) => CLIENT_FILE.test(path), files);
  }
}

/**
 * Takes an event of the client in place of Socket.IO's own dispatch to listeners.
 *
 * That way the acknowledgement is known by its id and can leave in one write with events.
 */
function onEvent(this: LinkedSocket, { data, id }: EventPacket): void {
  const { link } = this;
  if (link === undefined) return;
  const reply = id === undefined ? undefined : (outcome: Outcome) => link.acknowledge(id, outcome);
  // A packet may come without any data.
  const [name, ...values] = Array.isArray(data) ? data : [];
  if (typeof name !== 'string') {
    link.sink?.malformed('A command has a string as its name.', reply);
    return;
  }
  // Several arguments are no data of any command: the schema refuses the list.
  const sent = values.length > 1 ? values : values[0];
  link.sink?.command({ name, data: sent, ...(reply === undefined ? {} : { reply }) });
}

/** Counts an engine from its first moment on: it costs as much as a connection (P-9.11). */
function count(host: TransportHost, engine: CountedEngine): void {
  const address = host.remoteAddress(engine.request);
  const place = host.reserve(address);
  if (place === null) {
    engine.close(true);
    return;
  }
  Object.assign(engine, { address, place });
  engine.once('close', () => place.release());
}

function onDisconnect(this: LinkedSocket, reason: string): void {
  // An engine that stayed could connect as somebody else, and would be nobody until then.
  if (reason === BY_CLIENT) this.conn.close(true);
  this.link?.sink?.closed(FrameCloseCode.normal, reason);
}

/**
 * Lets pages of the listed origins read what they poll.
 *
 * Clients of Socket.IO 1.x and 2.x send credentials, and could not read without leave for that.
 * Nothing of them is used here: a cookie makes nobody a user.
 */
function corsFor(origins: readonly string[]): { origin: string[]; credentials: boolean } {
  return { origin: [...origins], credentials: true };
}

function handshakeOf(socket: Socket): Handshake {
  const { auth } = socket.handshake as { auth: unknown };
  const { address = '', place }: CountedEngine = socket.conn;
  return {
    headers: socket.request.headers,
    url: socket.request.url ?? PATH,
    remoteAddress: address,
    ...(place === undefined ? {} : { place }),
    ...(isJsonObject(auth) && Object.keys(auth).length > 0 ? { hello: auth } : { isSilent: true }),
  };
}
