import type { CommandName } from '../protocol/commands.js';
import type { WireError } from '../protocol/errors.js';
import type { EventName } from '../protocol/events.js';
import type { Outcome } from '../protocol/frames.js';
import type { Attachment, User } from '../protocol/models.js';

/** An event of a foreign program, as its client sent it. */
export interface ForeignEvent {
  readonly event: string;
  /** What the client gave with it; undefined if nothing, a list if several things. */
  readonly data: unknown;
}

/** An event of ours, such as `message.created`, with its data. */
export interface ServerEvent {
  readonly event: EventName;
  readonly data: unknown;
}

/** One connection, as its dialect sees it. */
export interface Listener<S> {
  /** Null before the first hello succeeded. */
  readonly user: User | null;
  /** Titles of the rooms whose events the connection receives, by id. */
  readonly rooms: ReadonlyMap<string, string>;
  /** What the dialect itself remembers of the connection. */
  readonly state: S;
  /** Finds who else of this program is connected under a name, in any case. */
  findPeer(name: string): string | null;
}

/** What the dialect of every connection knows. */
export interface Surroundings {
  /** Id of the one public room. */
  readonly publicRoom: string;
  /** Messages of a history at most. */
  readonly historyMessages: number;
  /** Gives an image as a data URL of at most 256 KiB, itself or its preview; null if it is gone. */
  dataUrl(image: Attachment): Promise<string | null>;
}

/** Sends a foreign event to the connection. */
export interface Emit<S> {
  readonly emit: string;
  /** The payload, the same for all connections that get it. */
  readonly data?: unknown;
  /** The payload when it takes time; null for none. */
  readonly later?: () => Promise<unknown>;
  /** The payload for each connection; undefined for none. */
  readonly each?: (listener: Listener<S>) => unknown;
  /** Who gets it; everybody by default. */
  readonly isFor?: (listener: Listener<S>) => boolean;
}

/** Has the connection send a command of ours, as if its client had. */
export interface Ask {
  readonly ask: CommandName;
  readonly data: Readonly<Record<string, unknown>>;
  /** Bytes to be stored first as a file of the user; the message names it. */
  readonly upload?: { readonly bytes: Buffer; readonly name: string };
  /** Where only what comes later is new to the person: a position in the log of the room. */
  readonly after?: number;
  /** Whether a connection is to send it, where all get the same; it is by default. */
  readonly isFor?: (listener: Listener<unknown>) => boolean;
  /** Anything for {@link Dialect.fromReply} to know the answer by. */
  readonly note?: unknown;
}

/** One thing that a dialect has done; a command that is refused ends those after it. */
export type Step<S> = Emit<S> | Ask;

/** The answer to a command that a dialect asked for. */
export interface Answer {
  readonly to: Ask;
  readonly outcome: Outcome;
}

/**
 * A foreign chat protocol, translated for one connection.
 *
 * The functions see values and give steps; they reach no socket and no service. What
 * {@link Dialect.fromEvent} gives is made once for all connections of the dialect.
 */
export interface Dialect<S = unknown> {
  /** Unique; the name under which it is switched on. */
  readonly name: string;
  /** Bytes of a frame, for a program whose frames may be larger than those of ours once it joined. */
  readonly frameBytes?: number;
  /** What a connection gets that says nothing, if its program may be one that only listens. */
  readonly observer?: {
    readonly greeting?: Emit<S>;
    readonly events: (event: ServerEvent, surroundings: Surroundings) => readonly Emit<S>[];
  };
  /** Whether guests are to come back under their names for a while, by name and address. */
  readonly hasNames?: boolean;
  /** Tells whether the first event of a connection is of this program. */
  declares(event: ForeignEvent): boolean;
  /** Makes what the dialect remembers of a connection. */
  begin(): S;
  /** Translates what the client emitted. */
  fromClient(event: ForeignEvent, listener: Listener<S>, around: Surroundings): readonly Step<S>[];
  /** Translates an event of ours. */
  fromEvent(event: ServerEvent, around: Surroundings): readonly Step<S>[];
  /** Translates the answer to a command. */
  fromReply(answer: Answer, listener: Listener<S>, around: Surroundings): readonly Step<S>[];
  /** Tells the client that something was refused, in its own way. */
  refuse(error: WireError): Emit<S>;
}
