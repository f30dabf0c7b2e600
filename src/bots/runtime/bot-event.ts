import type { LogEvent } from '../../protocol/events.js';
import { kindOfRoom } from '../../protocol/names.js';
import type { User } from '../../protocol/models.js';

/** The time that a bot had set for itself in a room has come. */
export interface AlarmEvent {
  readonly event: 'alarm.due';
  readonly data: {
    readonly room: string;
    /** An alarm is in no log. */
    readonly seq: 0;
    readonly key: string;
    /** For when it was set, in milliseconds since 1970. */
    readonly at: number;
    readonly value: unknown;
  };
}

/** What a handler can be called for. */
export type BotEvent = LogEvent | AlarmEvent;

/** Names an event within its room; the same event has the same name whenever it comes. */
export function nameOf(event: BotEvent): string {
  if (event.event !== 'alarm.due') return String(event.data.seq);
  return `${event.data.at.toString(36)}-${event.data.key}`;
}

/** Says in a report where an event is from. */
export function placeOf({ event, data }: BotEvent): { room: string; seq?: number } {
  return event === 'alarm.due' ? { room: data.room } : { room: data.room, seq: data.seq };
}

/** Tells whether a room is between two users, where everything is addressed to the other. */
export function isDirect(room: string): boolean {
  return kindOfRoom(room) === 'direct';
}

/** Gives who did what an event tells, as a user or as an id; null for the server. */
export function authorOf({ event, data }: LogEvent): User | string | null {
  switch (event) {
    case 'message.created':
    case 'message.edited':
      return data.message.sender;
    case 'message.deleted':
      return data.message.deletedBy ?? null;
    case 'member.joined':
      return data.member.user;
    case 'member.left':
    case 'user.updated':
    case 'dm.opened':
    case 'user.blocked':
    case 'user.unblocked':
    case 'reaction.added':
    case 'reaction.removed':
      return data.user;
    case 'room.created':
    case 'room.updated':
      return data.info.owner;
  }
}
