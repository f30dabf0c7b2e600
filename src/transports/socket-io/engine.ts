import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Server as EngineServer, type Transport } from 'engine.io';
import { WebSocketServer, type WebSocket } from 'ws';

import {
  answeringInBinary,
  postsBytesAsTexts,
  readingBytesAsTexts,
  type OldParser,
} from './old-parser.js';
import { PollAnswers } from './poll-answers.js';
import { countPackets } from './polling-payload.js';

/** How long a connection that was closed may take to go; engine.io would give it 30 s and more. */
export const CLOSE_MS = 5_000;

/** The WebSocket of an engine.io transport, with the stream under it. */
export type StreamedWebSocket = WebSocket & { stream?: Duplex };

/** Has a WebSocket take in larger messages; ws has one limit for all of a server. */
export function admit(webSocket: StreamedWebSocket, bytes: number): void {
  const { _receiver: receiver } = webSocket as unknown as { _receiver: { _maxPayload: number } };
  receiver._maxPayload = bytes;
}

/** A request with its query taken apart. */
type EngineRequest = Parameters<EngineServer['verify']>[0];

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
    if (name === 'polling') {
      const polling = transport as unknown as PollingTransport;
      this.limit(polling);
      countAnswers(polling);
      if (polling.protocol === 3) speakAsOldClients(polling, request as EngineRequest);
    }
    return transport;
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

/** Has bodies put together and taken apart as the clients of Engine.IO 3 do (P-10.3). */
function speakAsOldClients(transport: PollingTransport, { _query }: EngineRequest): void {
  const { parser, supportsBinary } = transport;
  const outgoing = supportsBinary ? answeringInBinary(parser) : parser;
  transport.parser = postsBytesAsTexts(_query.t) ? readingBytesAsTexts(outgoing) : outgoing;
}
