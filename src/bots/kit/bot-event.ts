import type { LogEvent } from '../../protocol/events.js';
import { isDirectRoomId } from '../../protocol/names.js';
import type { User } from '../../protocol/models.js';

/** An alarm that a bot set in a room is due. */
export interface AlarmEvent {
  readonly event: 'alarm.due';
  readonly data: {
    readonly room: string;
    /** An alarm is in no log. */
    readonly seq: 0;
    readonly key: string;
    /** Time of the alarm, in milliseconds since 1970. */
    readonly at: number;
    readonly value: unknown;
  };
}

/** An event that a handler can be called for. */
export type BotEvent = LogEvent | AlarmEvent;

/** Returns an id of an event within its room, which is the same at each delivery. */
export function eventId(event: BotEvent): string {
  if (event.event !== 'alarm.due') return String(event.data.seq);
  return `${event.data.at.toString(36)}-${event.data.key}`;
}

/** Returns the location of an event, for reports. */
export function locationOf({ event, data }: BotEvent): { room: string; seq?: number } {
  return event === 'alarm.due' ? { room: data.room } : { room: data.room, seq: data.seq };
}

/** Returns whether a room is a direct room, where every message is addressed to the other user. */
export function isDirect(room: string): boolean {
  return isDirectRoomId(room);
}

/** Returns the user who caused an event, as a user or an id; null for the server. */
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
