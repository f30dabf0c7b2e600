import type { LogEvent } from '#src/protocol/events.js';
import type { Position } from '#src/protocol/models.js';

import type { RoomFeed } from './room-feed.js';

/**
 * The rooms of a bot: events are handed out as the server delivers them (P-13.9).
 *
 * The server knows how far the bot is. It has nothing to resume, and may be given an event twice.
 */
export class DeliveredRooms implements RoomFeed {
  readonly positions: Record<string, Position> = {};
  readonly resume: Record<string, Position> = {};

  constructor(private readonly handOut: (event: LogEvent) => void) {}

  welcomed(): void {
    // Events of the rooms come by themselves.
  }

  takeCut(): void {
    // A bot joins no rooms: it is added to them (P-13.8).
  }

  leave(): void {
    // It is removed from them too.
  }

  take(event: LogEvent): void {
    this.handOut(event);
  }
}
