import type {
  IncomingHttpHeaders,
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';

import type { ConnectionSlot } from '../../limits/address-limit.js';
import type { Limits } from '../../protocol/limits.js';
import type { Outcome } from '../../protocol/frames.js';

/** An event in one encoding, prepared once for all links with that encoding (P-10.6). */
export interface Prepared {
  /** Size on the wire, to detect slow readers. */
  readonly bytes: number;
}

/** A wire format for events, shared by all links that use it (P-10.6). */
export interface Encoding {
  /** Unique among the encodings of one server. */
  readonly name: string;
  /** Encodes and frames an event. */
  prepare(event: string, data: unknown): Prepared;
  /** Joins several prepared events into one, in this order. */
  join(prepared: readonly Prepared[]): Prepared;
}

/** One open connection as its transport provides it to the core (P-10.6). */
export interface Link {
  /** Unique for the life of the process; appears in logs. */
  readonly id: string;
  readonly encoding: Encoding;
  /** Timing of the heartbeat, whether by the transport or by frames (P-2.12). */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** Bytes that were pushed and have not left yet. */
  readonly bufferedBytes: number;
  /** Whether {@link pause} slows the peer down; if not, the core limits waiting commands. */
  readonly pausable: boolean;
  /** Sends an event prepared by its own encoding; never throws, even when closed. */
  push(prepared: Prepared): void;
  /** Stops reading commands. */
  pause(): void;
  /** Resumes reading commands. */
  resume(): void;
  /** Switches to `session.ping` events as pings; returns false if the transport cannot. */
  pingByFrames(): boolean;
  /** Raises the maximum frame size, where the transport can (P-10.7). */
  admitFrames?(bytes: number): void;
  /** Closes the connection after all pushed bytes are sent; `closed` follows (P-4.5). */
  close(code: number, reason: string): void;
}

/** One command as the transport read it (P-3.1). */
export interface IncomingCommand {
  readonly name: string;
  readonly data: unknown;
  /** Sends the one reply; absent when the client asked for none (P-3.6). */
  readonly reply?: (outcome: Outcome) => void;
}

/** The core's side of one connection, called by the transport (P-10.6). */
export interface Sink {
  /** Charges the bytes of a message or ping, before it is decoded (P-9.10). */
  heard(bytes: number): void;
  /** Accepts a command. */
  command(command: IncomingCommand): void;
  /** Answers a frame that is not a command (P-3.8). */
  malformed(why: string, reply?: (outcome: Outcome) => void): void;
  /** Ends the connection because the peer did not answer a ping in time (P-2.12). */
  silent(): void;
  /**
   * Cleans up after a connection that is gone, whichever side ended it; called once.
   *
   * The reason is logged, so it is never text from the client.
   */
  closed(code: number, reason: string): void;
}

/** The start of a connection, the same on every transport (P-10.1). */
export interface Handshake {
  /** Data of `hello`, if the handshake contains it (P-2.10). */
  readonly hello?: unknown;
  /** Whether the client may be a program that does not know hello (P-10.7). */
  readonly isSilent?: boolean;
  /** Whether the URL contains a token, which is not accepted there (P-2.7). */
  readonly misplacedToken?: boolean;
  /** Why the handshake is refused; sent as `bye`. */
  readonly refusal?: { readonly code: number; readonly reason: string };
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** Address of the client, after trusted proxies. */
  readonly remoteAddress: string;
  /** The slot from {@link TransportHost.reserve}, if the transport reserved one. */
  readonly slot?: ConnectionSlot;
  readonly subprotocol?: string;
}

/** Handles an HTTP upgrade. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Answers an HTTP request, or passes it to the app by `next`. */
export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void;

/** How requests are claimed. */
export interface ClaimOptions {
  /** Whether the handler itself sends 100-continue and limits the time of the body. */
  readonly asksForBody?: boolean;
}

/** The services of the server for a transport (P-10.6). */
export interface TransportHost {
  /** The HTTP server of the app; absent where there is none. */
  readonly http: HttpServer | undefined;
  /** Path under which the app serves Parlance, such as `/chat`; empty for `/`. */
  readonly path: string;
  readonly limits: Limits;
  /** Origins of pages that may connect, besides the host itself (P-10.5). */
  readonly origins: readonly string[] | undefined;
  /** Claims the upgrades of a path; the handler is called after the Origin check. */
  claimUpgrade(owns: (path: string) => boolean, handler: UpgradeHandler): void;
  /** Claims the requests of a path, before the app sees them. */
  claimRequests(
    owns: (path: string) => boolean,
    handler: RequestHandler,
    options?: ClaimOptions,
  ): void;
  /** Returns whether the page that sent a request may connect (P-10.5). */
  isOriginAllowed(request: IncomingMessage): boolean;
  /** Returns the address of the client behind trusted proxies. */
  remoteAddress(request: IncomingMessage): string;
  /** Reserves a slot before the handshake; null if the socket must be closed at once (P-9.11). */
  reserve(address: string): ConnectionSlot | null;
  /** Passes a new connection to the core; returns undefined if it was refused and closed. */
  accept(link: Link, handshake: Handshake): Sink | undefined;
}

/** A transport moves frames and heartbeats, and nothing else (P-10.6). */
export interface ChatTransport {
  readonly name: string;
  /** Starts to accept connections. */
  attach(host: TransportHost): void;
  /** Stops for good and drops the links that are still open. */
  close(): Promise<void>;
}
