import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  Server as HttpServer,
} from 'node:http';
import type { Duplex } from 'node:stream';

import type { Limits } from '../protocol/limits.js';
import type { Outcome } from '../protocol/frames.js';

/** An event in the form of one encoding, made once for all links of it (P-10.6). */
export interface Prepared {
  /** Size on the wire, for the bookkeeping of slow readers. */
  readonly bytes: number;
}

/** A way to put events on the wire, shared by all links that use it (P-10.6). */
export interface Encoding {
  /** Unique among the encodings of one server. */
  readonly name: string;
  /** Encodes and frames an event. */
  prepare(event: string, data: unknown): Prepared;
  /** Makes one of several, to be sent in this order. */
  join(prepared: readonly Prepared[]): Prepared;
}

/** One open connection as its transport gives it to the core (P-10.6). */
export interface Link {
  /** Unique for the life of the process; appears in logs. */
  readonly id: string;
  readonly encoding: Encoding;
  /** Where heartbeats are made: by the transport, or by frames on request (P-2.12). */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** Bytes that were given to the link and that the network has not taken. */
  readonly bufferedBytes: number;
  /** Whether {@link pause} holds the peer back; otherwise waiting commands are limited. */
  readonly pausable: boolean;
  /** Sends what its own encoding prepared; never throws, not even when it is closed. */
  push(prepared: Prepared): void;
  /** Stops reading commands. */
  pause(): void;
  /** Goes on reading commands. */
  resume(): void;
  /** Asks for `session.ping` events instead of the transport's own pings; false if it has none. */
  pingByFrames(): boolean;
  /** Lets frames of more bytes in from now on, where the transport can (P-10.7). */
  admitFrames?(bytes: number): void;
  /** Ends the connection after what was pushed is sent; `closed` follows (P-4.5). */
  close(code: number, reason: string): void;
}

/** One command as a transport read it (P-3.1). */
export interface IncomingCommand {
  readonly name: string;
  readonly data: unknown;
  /** Sends the one reply; absent when the client asked for none (P-3.6). */
  readonly reply?: (outcome: Outcome) => void;
}

/** What the core does with one connection; the transport calls it (P-10.6). */
export interface Sink {
  /** A command was read. */
  command(command: IncomingCommand): void;
  /** Something was read that is no command (P-3.8). */
  malformed(why: string, reply?: (outcome: Outcome) => void): void;
  /** The peer did not answer a ping in time (P-2.12). */
  silent(): void;
  /**
   * The connection is gone, whoever ended it; called once.
   *
   * The reason is logged: it is none that the client has worded.
   */
  closed(code: number, reason: string): void;
}

/** A connection as it is counted at its address (P-9.11). */
export interface Place {
  /** Whether the limit allows it; otherwise it is told so once it is accepted, and closed. */
  readonly isWithin: boolean;
  /** Gives the place back; to be called once, when nothing is left of the connection. */
  release(): void;
}

/** How a connection introduced itself; the same on every transport (P-10.1). */
export interface Handshake {
  /** Data of `hello`, if it was given with the handshake (P-2.10). */
  readonly hello?: unknown;
  /** Whether the client may be of a program that knows no hello (P-10.7). */
  readonly isSilent?: boolean;
  /** Whether a token was given in the URL, where none is taken (P-2.7). */
  readonly misplacedToken?: boolean;
  /** Why the handshake itself is refused, told by `bye`. */
  readonly refusal?: { readonly code: number; readonly reason: string };
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** Address of the client, after trusted proxies. */
  readonly remoteAddress: string;
  /** What {@link TransportHost.reserve} gave, if the connection was counted before. */
  readonly place?: Place;
  readonly subprotocol?: string;
}

/** Takes over an HTTP upgrade. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Answers an HTTP request that belongs to a transport. */
export type RequestHandler = RequestListener;

/** What the server offers to a transport (P-10.6). */
export interface TransportHost {
  /** The HTTP server of the app; absent where there is none. */
  readonly http: HttpServer | undefined;
  readonly limits: Limits;
  /** Origins beyond the host itself that pages may come from (P-10.5). */
  readonly origins: readonly string[] | undefined;
  /** Claims upgrades of a path; their Origin has been checked then. */
  claimUpgrade(owns: (path: string) => boolean, handler: UpgradeHandler): void;
  /** Claims requests of a path, before the app sees them. */
  claimRequests(owns: (path: string) => boolean, handler: RequestHandler): void;
  /** Tells whether a request comes from a page that may connect (P-10.5). */
  isOriginAllowed(request: IncomingMessage): boolean;
  /** Gives the address of the client behind trusted proxies. */
  remoteAddress(request: IncomingMessage): string;
  /** Counts what takes time to become a connection; null if it is to be closed at once (P-9.11). */
  reserve(address: string): Place | null;
  /** Hands a new connection to the core; undefined when it was refused and closed. */
  accept(link: Link, handshake: Handshake): Sink | undefined;
}

/** A way for clients to connect; it moves frames and heartbeats, and nothing else (P-10.6). */
export interface ChatTransport {
  readonly name: string;
  /** Begins to take connections. */
  attach(host: TransportHost): void;
  /** Stops for good; links that are still open are dropped. */
  close(): Promise<void>;
}
