import type { ErrorCode } from '#src/protocol/errors.js';
import type {
  BotEventName,
  EphemeralEventName,
  EventData,
  LogEventName,
} from '#src/protocol/events.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { ConnectionError } from './connection-error.js';

/**
 * Name of an event of the protocol that the client delivers: logged (P-5.8), ephemeral (P-7), or
 * for bots only (P-13.13).
 */
export type RoomEventName = LogEventName | EphemeralEventName | BotEventName;

/** An event of the protocol with its name. */
export type RoomEvent = {
  [E in RoomEventName]: { readonly event: E; readonly data: EventData<E> };
}[RoomEventName];

/** The state of the connection. */
export type Status =
  /** The client connects, or sends hello. */
  | { readonly name: 'connecting' }
  /** The client has a session, which began with this welcome (P-2.4). */
  | { readonly name: 'open'; readonly welcome: Welcome }
  /**
   * The client reconnects in `delayMs` milliseconds; `code` and `reason` are those of the close.
   *
   * `error` is set if there was no session: its `code` says why, its `message` what to do.
   */
  | {
      readonly name: 'waiting';
      readonly code: number;
      readonly reason: string;
      readonly error?: ConnectionError;
      readonly delayMs: number;
    }
  /** The client does not reconnect; `error` is absent after `close()`. */
  | { readonly name: 'closed'; readonly error?: ConnectionError };

/**
 * A gap in the events of a room: the server can no longer send some of them.
 *
 * With `cut`, events continue after that state. Without it, the client stops following the room;
 * only `@me` continues without a cut.
 */
export interface Gap {
  readonly room: string;
  /** Position of the last delivered event. */
  readonly after: Position;
  /** A reason of P-5.11 or P-5.12, or the code of the error that refused `room.sync`. */
  readonly reason: 'epoch_mismatch' | 'trimmed' | 'ahead' | 'not_found' | 'limit' | ErrorCode;
  readonly cut?: RoomCut;
}

/** The events of the client, each with the data that a listener gets. */
export type ChatEvents = {
  [E in RoomEventName]: EventData<E>;
} & {
  /** Every delivered event of the protocol, in the order of delivery. */
  event: RoomEvent;
  /** A change of the state of the connection. */
  status: Status;
  /** The client has ended for good; `error` is absent after `close()`. */
  closed: { readonly error?: ConnectionError };
  /** Events that the server can no longer send. */
  gap: Gap;
  /**
   * An error that belongs to no call: an `error` event of the server (P-4.3) as a `CommandError`,
   * or an exception that a listener or a callback of the app threw.
   */
  error: unknown;
};
