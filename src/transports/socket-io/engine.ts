import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Server as EngineServer, type Transport } from 'engine.io';
import { WebSocketServer, type WebSocket } from 'ws';

import { encodeBinaryPayload } from './binary-payload.js';
import { PollAnswers } from './poll-answers.js';
import { countPackets } from './polling-payload.js';

/** How long a connection that was closed may take to go; engine.io would give it 30 s and more. */
export const CLOSE_MS = 5_000;

/** The WebSocket of an engine.io transport, with the stream under it. */
export type StreamedWebSocket = WebSocket & { stream?: Duplex };

/** How the packets of a polling body are put together in Engine.IO 3. */
interface OldParser {
  encodePacket(
    packet: unknown,
    supportsBinary: boolean,
    asUtf8: boolean,
    done: (encoded: string | Buffer) => void,
  ): void;
  encodePayload(
    packets: readonly unknown[],
    supportsBinary: boolean,
    done: (body: string | Buffer) => void,
  ): void;
}

interface PollingTransport {
  protocol: number;
  /** Whether its first request came without `b64` in the query. */
  supportsBinary: boolean;
  parser: OldParser;
  closeTimeout: number;
  /** The answer to the poll that waits. */
  res: ServerResponse;
  answers?: PollAnswers;
  onData(data: string | Buffer): void;
  onError(message: string): void;
  doWrite(data: string | Buffer, options: unknown, done: () => void): void;
  once(event: 'close', listener: () => void): void;
}

/**
 * Makes the WebSocket server that engine.io uses.
 *
 * It limits fragments and the time to close, which engine.io has no options for, and keeps the
 * stream under each WebSocket: the socket of the request is another one after an upgrade.
 */
export function webSocketServerFor(maxFragments: number): typeof WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: ConstructorParameters<typeof WebSocketServer>[0]) {
      super({ ...options, maxFragments, closeTimeout: CLOSE_MS } as typeof options);
    }

    override handleUpgrade(
      request: IncomingMessage,
      stream: Duplex,
      head: Buffer,
      done: (webSocket: InstanceType<typeof WebSocket>, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, stream, head, (webSocket) => {
        (webSocket as StreamedWebSocket).stream = stream;
        done(webSocket, request);
      });
    }
  } as typeof WebSocketServer;
}

/** Engine.io that counts the packets of a polling body before any is dispatched (P-9.5). */
export class CountingEngine extends EngineServer {
  constructor(
    options: ConstructorParameters<typeof EngineServer>[0],
    private readonly maxPackets: number,
  ) {
    super(options);
  }

  /** Refuses JSONP, which hides packets from the count; XMLHttpRequest has long replaced it. */
  protected override verify(
    ...[request, upgrade, done]: Parameters<EngineServer['verify']>
  ): ReturnType<EngineServer['verify']> {
    const { transport, j } = request._query;
    if (transport !== 'polling' || j === undefined) return super.verify(request, upgrade, done);
    done(EngineServer.errors.BAD_REQUEST, { message: 'Poll by XMLHttpRequest, not by JSONP.' });
  }

  protected override createTransport(
    ...[name, request]: Parameters<EngineServer['createTransport']>
  ): Transport {
    const transport = super.createTransport(name, request);
    if (name === 'polling') this.adapt(transport as unknown as PollingTransport);
    return transport;
  }

  private adapt(transport: PollingTransport): void {
    this.limit(transport);
    countAnswers(transport);
    if (transport.protocol === 3 && transport.supportsBinary) answerInBinary(transport);
  }

  private limit(transport: PollingTransport): void {
    transport.closeTimeout = CLOSE_MS;
    const dispatch = transport.onData.bind(transport);
    transport.onData = (data) => {
      if (countPackets(data, transport.protocol, this.maxPackets) > this.maxPackets) {
        transport.onError('too many packets');
      } else {
        dispatch(data);
      }
    };
  }
}

/** Keeps count of what is sent to who polls and does not read (P-9.12). */
function countAnswers(transport: PollingTransport): void {
  const answers = new PollAnswers();
  const write = transport.doWrite.bind(transport);
  transport.answers = answers;
  transport.doWrite = (data, options, done) => {
    const { res } = transport;
    write(data, options, done);
    answers.add(res, Buffer.byteLength(data));
  };
  transport.once('close', () => answers.dropAfter(CLOSE_MS));
}

/**
 * Answers polls in the binary framing, which all clients of Engine.IO 3 read (P-10.3).
 *
 * Where they can read it, those of Socket.IO 1.x read nothing else; engine.io uses it only for
 * packets that are binary themselves.
 */
function answerInBinary(transport: PollingTransport): void {
  const { parser } = transport;
  transport.parser = {
    ...parser,
    encodePayload: (packets, _, done) => {
      const encoded: (string | Buffer)[] = [];
      for (const one of packets) {
        parser.encodePacket(one, true, false, (packet) => encoded.push(packet));
      }
      done(encodeBinaryPayload(encoded));
    },
  };
}
