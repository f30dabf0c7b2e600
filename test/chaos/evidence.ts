import type { Message, RoomCut } from '#src/protocol/models.js';

import type { ReceivedEvent } from '../support/client.js';

/** Something that one connection of a client received, in the order of arrival. */
export type Observation =
  | { readonly is: 'opened'; readonly node: number }
  | { readonly is: 'closed' }
  /** A cut, after which live events follow. */
  | { readonly is: 'cut'; readonly cut: RoomCut }
  /** A resume that was complete: the missed events follow, up to `seq`. */
  | { readonly is: 'resumed'; readonly room: string; readonly seq: number }
  /** A page of missed events; live events follow the last one. */
  | {
      readonly is: 'page';
      readonly room: string;
      readonly epoch: string;
      readonly seq: number;
      readonly events: readonly ReceivedEvent[];
      readonly isLast: boolean;
    }
  /** The server could not continue from the position of the client. */
  | { readonly is: 'lost'; readonly room: string; readonly reason: string }
  /** An event, live or after a resume; one without `seq` is ephemeral. */
  | { readonly is: 'event'; readonly event: ReceivedEvent }
  /** The reply to `room.leave`. */
  | { readonly is: 'left'; readonly room: string; readonly seq: number }
  /** A resume that failed because the user is no member. */
  | { readonly is: 'expelled'; readonly room: string };

/** Times are counted, not measured: `at` of a later moment is greater. */
export type Moment = number;

/** One try to send a command. */
export interface Attempt {
  readonly at: Moment;
  /** Number of the connection among all of the run. */
  readonly connection: number;
}

/** How a command ended: refused for good, or unknown if no reply tells. */
export type Outcome =
  | { readonly is: 'acknowledged'; readonly at: Moment; readonly message?: StoredAt }
  | { readonly is: 'refused'; readonly at: Moment; readonly code: string }
  | { readonly is: 'unknown' };

/** Where a message was stored, as a reply tells. */
export interface StoredAt {
  readonly id: string;
  readonly seq: number;
}

/** A message that a client sent, once or several times with the same cid. */
export interface SentMessage {
  readonly room: string;
  readonly sender: string;
  readonly cid: string;
  readonly text: string;
  readonly attempts: Attempt[];
  outcome: Outcome;
}

/** A change of a message; changes of one client to one message do not overlap. */
export interface Change {
  readonly kind: 'edit' | 'delete' | 'react' | 'unreact';
  readonly room: string;
  readonly user: string;
  /** Id of the message. */
  readonly message: string;
  /** Text of an edit, or emoji of a reaction. */
  readonly content: string;
  outcome: Outcome;
}

/** Everything that a client did and received. */
export interface ClientRecord {
  readonly name: string;
  readonly user: string;
  readonly observations: readonly Observation[];
  readonly sent: readonly SentMessage[];
  readonly changes: readonly Change[];
}

/** A room as one node shows it at the end. */
export interface RoomReading {
  readonly node: number;
  readonly room: string;
  readonly epoch: string;
  /** The log from its start. */
  readonly log: readonly ReceivedEvent[];
  /** All messages, from `message.history`. */
  readonly history: readonly Message[];
  /** The room as a fresh client gets it. */
  readonly cut: RoomCut;
  /** An earlier cut of the room, and the events after it as this node replays them. */
  readonly earlier?: { readonly cut: RoomCut; readonly events: readonly ReceivedEvent[] };
}

/** Everything known about a run, read after all writes and deliveries have ended. */
export interface Evidence {
  readonly clients: readonly ClientRecord[];
  readonly readings: readonly RoomReading[];
}
