import type { ReplyData } from '#src/protocol/commands.js';
import type { LogEvent } from '#src/protocol/events.js';
import type { Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

/** Decides which events of rooms are delivered, and which rooms hello resumes. */
export interface RoomFeed {
  /** Position of the last delivered event of each log. */
  readonly positions: Record<string, Position>;
  /** The positions that hello asks to resume. */
  readonly resume: Record<string, Position>;
  /** Resumes the rooms in a new session, as its welcome says. */
  welcomed(welcome: Welcome): void;
  /** Handles a cut that the app requested. */
  handleCut(cut: RoomCut): void;
  /** Handles the reply to `room.leave`. */
  leave(left: ReplyData<'room.leave'>): void;
  /** Handles an event of a log. */
  handle(event: LogEvent): void;
}
