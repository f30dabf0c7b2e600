import type { CommandName } from '../protocol/commands.js';
import type { WireError } from '../protocol/errors.js';
import type { EventName } from '../protocol/events.js';
import type { Outcome } from '../protocol/frames.js';
import type { Attachment, User } from '../protocol/models.js';

/** An event that a legacy client emitted. */
export interface ClientEvent {
  readonly event: string;
  /** Argument of the event; undefined for none, a list for several. */
  readonly data: unknown;
}

/** An event of the protocol, such as `message.created`, with its data. */
export interface ServerEvent {
  readonly event: EventName;
  readonly data: unknown;
}

/** One connection, as its dialect sees it. */
export interface DialectConnection<S> {
  /** Null until the first `hello` succeeds. */
  readonly user: User | null;
  /** Titles of the rooms whose events the connection receives, by room id. */
  readonly rooms: ReadonlyMap<string, string>;
  /** Whether the connection receives the posts of the default room without having a user. */
  readonly hearsDefaultRoom: boolean;
  /** State that the dialect keeps for the connection. */
  readonly state: S;
  /** Returns the id of another connected user of this dialect by name, ignoring case. */
  findPeer(name: string): string | null;
}

/** Settings and helpers that every connection of a dialect shares. */
export interface DialectContext {
  /** Id of the default room. */
  readonly defaultRoom: string;
  /** Maximum number of messages in a history. */
  readonly historyMessages: number;
  /** Returns a name that `hello` accepts: shortened, cleaned, and not reserved. */
  displayName(typed: string): string | null;
  /** Returns an image or its preview as a data URL of at most 256 KiB; null if it was deleted. */
  dataUrl(image: Attachment): Promise<string | null>;
}

/** Sends an event to the legacy client. */
export interface EmitStep<S> {
  readonly emit: string;
  /** Payload that is the same for all connections. */
  readonly data?: unknown;
  /** Payload that takes time to load; null sends nothing. */
  readonly later?: () => Promise<unknown>;
  /** Payload that differs by connection; undefined sends nothing. */
  readonly each?: (connection: DialectConnection<S>) => unknown;
  /** Whether a connection receives the event; by default every connection does. */
  readonly isFor?: (connection: DialectConnection<S>) => boolean;
}

/** Sends a command of the protocol as if the client had sent it. */
export interface CommandStep {
  readonly ask: CommandName;
  readonly data: Readonly<Record<string, unknown>>;
  /** File to upload first; the message then attaches it. */
  readonly upload?: { readonly bytes: Buffer; readonly name: string };
  /** Position in the log of the room after which messages are new to the user. */
  readonly after?: number;
  /** Whether a connection sends the command; by default every connection does. */
  readonly isFor?: (connection: DialectConnection<unknown>) => boolean;
  /** Any value that helps {@link Dialect.fromReply} recognize the reply. */
  readonly note?: unknown;
}

/** One action of a dialect. A refused command cancels the steps after it. */
export type Step<S> = EmitStep<S> | CommandStep;

/** The reply to a command of a dialect. */
export interface CommandReply {
  readonly to: CommandStep;
  readonly outcome: Outcome;
}

/** An HTTP request that no other route of the server answers. */
export interface DialectRequest {
  readonly method: string;
  /** Path of the request, relative to {@link DialectRequest.root}. */
  readonly path: string;
  /** Path under which the server is mounted: `/chat`, or empty. */
  readonly root: string;
}

/** The HTML page that answers a {@link DialectRequest}. */
export interface DialectPage {
  readonly status: number;
  readonly html: string;
}

/**
 * Translates the chat protocol of a legacy client.
 *
 * The functions map values to steps; they have no access to sockets or services. The result of
 * {@link Dialect.fromEvent} is shared by all connections of the dialect.
 */
export interface Dialect<S = unknown> {
  /** Unique name, used in settings and log lines. */
  readonly name: string;
  /** Maximum frame size in bytes after the client joins, if it exceeds that of the protocol. */
  readonly frameBytes?: number;
  /** Events for connections that send nothing, if clients of this dialect may only listen. */
  readonly observer?: {
    readonly greeting?: EmitStep<S>;
    readonly events: (event: ServerEvent, context: DialectContext) => readonly EmitStep<S>[];
  };
  /** Whether a guest who returns soon, with the same name and address, is the same user. */
  readonly hasNames?: boolean;
  /** Whether the page shows one room at a time: a returning guest leaves all other rooms. */
  readonly hasOneRoom?: boolean;
  /** Returns whether the first event of a connection belongs to this dialect. */
  declares(event: ClientEvent): boolean;
  /** Returns the initial state of a connection. */
  begin(): S;
  /** Translates an event of the client. */
  fromClient(
    event: ClientEvent,
    connection: DialectConnection<S>,
    context: DialectContext,
  ): readonly Step<S>[];
  /** Translates an event of the protocol. */
  fromEvent(event: ServerEvent, context: DialectContext): readonly Step<S>[];
  /** Translates the reply to a command. */
  fromReply(
    reply: CommandReply,
    connection: DialectConnection<S>,
    context: DialectContext,
  ): readonly Step<S>[];
  /** Returns the events that report an error: a refused command, or a rejected client event. */
  refuse(error: WireError, to?: CommandStep): EmitStep<S> | readonly EmitStep<S>[];
  /** Answers HTTP requests that no other route answers; null leaves the request alone. */
  http?(request: DialectRequest): DialectPage | null;
}
