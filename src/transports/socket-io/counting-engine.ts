import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Server as EngineServer, type Socket as EngineSocket, type Transport } from 'engine.io';

import {
  answeringInBinary,
  postsBytesAsTexts,
  readingBytesAsTexts,
  readingEitherTexts,
  type Eio3Parser,
} from './eio3-parser.js';
import { CLOSE_MS } from './engine-web-socket.js';
import { PollAnswers } from './poll-answers.js';
import { countPackets } from './polling-payload.js';

/** A request with its parsed query. */
type EngineRequest = Parameters<EngineServer['verify']>[0];

/** A session with the socket of its attempt to upgrade to WebSocket. */
type ProbedSession = EngineSocket & { probe?: Duplex };

const NO_JSONP = 'Poll by XMLHttpRequest, not by JSONP.';
const ONE_PROBE = 'The session has tried to upgrade already.';
/** Packets in one response that all clients accept, such as the one for Python. */
const PACKETS_OF_ANSWER = 16;

interface PollingTransport {
  protocol: number;
  /** Whether its first request came without `b64` in the query. */
  supportsBinary: boolean;
  parser: Eio3Parser;
  closeTimeout: number;
  /** The response to the pending poll. */
  res: ServerResponse;
  answers?: PollAnswers;
  onData(data: string | Buffer): void;
  onError(message: string): void;
  doWrite(data: string | Buffer, options: unknown, done: () => void): void;
  once(event: 'close', listener: () => void): void;
}

/** An engine.io server that counts the packets of a polling body before dispatch (P-9.5). */
export class CountingEngine extends EngineServer {
  constructor(
    options: ConstructorParameters<typeof EngineServer>[0],
    private readonly maxPackets: number,
  ) {
    super(options);
    this.on('flush', splitResponse);
  }

  /** Refuses JSONP, which hides packets from the count, and a second probe of a session. */
  protected override verify(
    ...[request, upgrade, done]: Parameters<EngineServer['verify']>
  ): ReturnType<EngineServer['verify']> {
    const { transport, j, sid } = request._query;
    const session = upgrade && sid !== undefined ? this.sessionOf(sid) : undefined;
    let refusal: string | undefined;
    if (transport === 'polling' && j !== undefined) refusal = NO_JSONP;
    else if (session?.probe?.destroyed === false) refusal = ONE_PROBE;
    if (refusal !== undefined) {
      done(EngineServer.errors.BAD_REQUEST, { message: refusal });
      return;
    }
    return super.verify(request, upgrade, (code, context) => {
      if (session !== undefined && code === undefined) session.probe = request.socket;
      done(code, context);
    });
  }

  private sessionOf(sid: string): ProbedSession | undefined {
    return (this.clients as Readonly<Record<string, ProbedSession>>)[sid];
  }

  protected override createTransport(
    ...[name, request]: Parameters<EngineServer['createTransport']>
  ): Transport {
    const transport = super.createTransport(name, request);
    if (name === 'polling') {
      const polling = transport as unknown as PollingTransport;
      this.limit(polling);
      countAnswers(polling);
      if (polling.protocol === 3) useEio3Bodies(polling, request as EngineRequest);
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

/** Counts the unsent bytes of a polling client that does not read (P-9.12). */
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

/** Encodes and decodes bodies like the clients of Engine.IO 3 (P-10.3). */
function useEio3Bodies(transport: PollingTransport, { _query }: EngineRequest): void {
  const { parser, supportsBinary } = transport;
  const outgoing = supportsBinary ? answeringInBinary(parser) : parser;
  const reading = postsBytesAsTexts(_query.t) ? readingBytesAsTexts : readingEitherTexts;
  transport.parser = reading(outgoing);
}

interface FlushedPackets {
  readonly readyState: string;
  readonly transport: { readonly name: string };
  writeBuffer: unknown[];
  prependOnceListener(event: 'drain', listener: () => void): void;
}

/**
 * Keeps the packets that exceed one polling response for the next one.
 *
 * A session that closes gets all packets at once, because kept ones would be lost.
 */
function splitResponse(session: FlushedPackets, packets: unknown[]): void {
  if (session.transport.name !== 'polling' || session.readyState !== 'open') return;
  if (packets.length <= PACKETS_OF_ANSWER) return;
  const rest = packets.splice(PACKETS_OF_ANSWER);
  session.prependOnceListener('drain', () => {
    session.writeBuffer = [...rest, ...session.writeBuffer];
  });
}
