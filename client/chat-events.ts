import type { ErrorCode } from '#src/protocol/errors.js';
import type {
  BOT_EVENTS,
  EPHEMERAL_EVENTS,
  EventData,
  LogEventName,
} from '#src/protocol/events.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { ConnectionError } from './connection-error.js';

/**
 * Name of an event of the protocol that the client hands out: logged (P-5.8), ephemeral (P-7), or
 * for bots alone (P-13.13).
 */
export type RoomEventName = LogEventName | keyof typeof EPHEMERAL_EVENTS | keyof typeof BOT_EVENTS;

/** An event of the protocol with its name. */
export type RoomEvent = {
  [E in RoomEventName]: { readonly event: E; readonly data: EventData<E> };
}[RoomEventName];

/** How the client is connected. */
export type Status =
  /** Connects, or says hello. */
  | { readonly name: 'connecting' }
  /** Has a session; the welcome of it (P-2.4). */
  | { readonly name: 'open'; readonly welcome: Welcome }
  /** Comes back in `delayMs` milliseconds; `code` and `reason` tell how the connection ended. */
  | {
      readonly name: 'waiting';
      readonly code: number;
      readonly reason: string;
      readonly delayMs: number;
    }
  /** Does not come back; with an error unless `close()` was called. */
  | { readonly name: 'closed'; readonly error?: ConnectionError };

/**
 * Events of a room that cannot be had, after those that were handed out.
 *
 * With `cut`, events go on after the state in it. Without, the room is no longer followed; only
 * `@me` goes on without one.
 */
export interface Gap {
  readonly room: string;
  /** Position of the last event that was handed out. */
  readonly after: Position;
  /** Why: a reason of P-5.11 or P-5.12, or the error by which `room.sync` was refused. */
  readonly reason: 'epoch_mismatch' | 'trimmed' | 'ahead' | 'not_found' | 'limit' | ErrorCode;
  readonly cut?: RoomCut;
}

/** What a listener can be registered for, and what it is called with. */
export type ChatEvents = {
  [E in RoomEventName]: EventData<E>;
} & {
  /** Every event of the protocol that is handed out, in one order. */
  event: RoomEvent;
  /** How the client is connected, whenever that changes. */
  status: Status;
  /** Events that cannot be had. */
  gap: Gap;
  /**
   * What nobody awaits: an `error` event of the server (P-4.3) as a `CommandError`, and what a
   * listener or a callback of the app threw.
   */
  error: unknown;
};
