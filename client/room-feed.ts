import type { ReplyData } from '#src/protocol/commands.js';
import type { LogEvent } from '#src/protocol/events.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

/** Decides which events of rooms are handed out, and what hello asks for. */
export interface RoomFeed {
  /** Position of each log up to which events were handed out. */
  readonly positions: Record<string, Position>;
  /** What hello asks to be resumed. */
  readonly resume: Record<string, Position>;
  /** Takes up what the welcome of a new session says. */
  welcomed(welcome: Welcome): void;
  /** Takes the cut that the user has asked for. */
  takeCut(cut: RoomCut): void;
  /** Notes that the user has left a room. */
  leave(left: ReplyData<'room.leave'>): void;
  /** Takes an event of a log. */
  take(event: LogEvent): void;
}
