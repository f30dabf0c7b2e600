import type { LogEvent } from '../../protocol/events.js';

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
