import type { ReceivedEvent } from '../support/client.js';
import { toEntry } from '../crash/seen-log.js';

/** Returns the room of an event; undefined for one that is about no room. */
export function roomOf({ data }: ReceivedEvent): string | undefined {
  return data['room'] as string | undefined;
}

/** Returns the position of an event in its log; undefined for an ephemeral one. */
export function seqOf({ data }: ReceivedEvent): number | undefined {
  return data['seq'] as number | undefined;
}

/** Returns what never changes of an event of a log, whoever receives it and when (P-5.9). */
export function printOf(event: ReceivedEvent): string {
  return toEntry(event).print;
}

/** Returns whether an event tells that a user has left its room. */
export function isLeaveOf(event: ReceivedEvent, user: string): boolean {
  return event.event === 'member.left' && idOf(event.data['user']) === user;
}

/** Returns an id that stands alone or in an object. */
export function idOf(thing: unknown): string | undefined {
  return typeof thing === 'string' ? thing : (thing as { id?: string } | undefined)?.id;
}
