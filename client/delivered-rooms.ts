import type { LogEvent } from '#src/protocol/events.js';
import type { Position } from '#src/protocol/models.js';

import type { RoomFeed } from './room-feed.js';

/**
 * The rooms of a bot, which delivers events as the server sends them (P-13.9).
 *
 * The server stores the position of the bot. The bot resumes nothing, and may get an event twice.
 */
export class DeliveredRooms implements RoomFeed {
  readonly positions: Record<string, Position> = {};
  readonly resume: Record<string, Position> = {};

  constructor(private readonly deliver: (event: LogEvent) => void) {}

  welcomed(): void {
    // The server sends the events of the rooms without being asked.
  }

  handleCut(): void {
    // Bots are added to rooms and do not join them (P-13.8).
  }

  leave(): void {
    // Bots are removed from rooms and do not leave them.
  }

  handle(event: LogEvent): void {
    this.deliver(event);
  }
}
