import type { Emit, Listener, Step, Surroundings } from '../dialect.js';
import { nameKey } from '../name-key.js';
import { pythonList } from './python-list.js';

/** What is remembered of a connection. */
export interface State {
  /** Rooms that the person joined, by id, under the names that were typed. */
  readonly joined: Map<string, string>;
}

/** A connection as this program sees it. */
export type Person = Listener<State>;
export type Steps = readonly Step<State>[];

/** What this program's own server says to what it cannot read, and to who has not joined. */
export const UNREADABLE = 'JSON Parse failed';

/** Gives the name under which the person knows a room they joined; undefined for any other. */
export function nameOfRoom(
  { rooms, state }: Person,
  room: string,
  { publicRoom }: Surroundings,
): string | undefined {
  // Who came back is in rooms that this connection did not ask for, as in the public one.
  return state.joined.get(room) ?? (room === publicRoom ? undefined : rooms.get(room));
}

/** Says that something cannot be done, in the words of this program's server. */
export function refusal(message: string): Emit<State> {
  return { emit: 'message', data: `{"code": 99, "message": ${JSON.stringify(message)}}` };
}

/** Lists the names of those in a room. */
export function listed(names: readonly string[]): Emit<State> {
  const upper = names.map((name) => name.toUpperCase());
  return { emit: 'chat', data: { type: 'users', message: `Users in room: ${pythonList(upper)}` } };
}

/** Shows a text. */
export function said(sender: string, message: string): Emit<State> {
  return { emit: 'chat', data: { type: 'chat', from: sender.toUpperCase(), message } };
}

/** Tells that somebody came. */
export function came(user: string, room: string): unknown {
  return { type: 'newuser', message: `New User ${user} joined room ${room}` };
}

/** Tells that somebody went. */
export function went(user: string, room: string): unknown {
  return { type: 'deluser', message: `User ${user} left room ${room}` };
}

/** Compares names as this program does. */
export function isSameName(one: string, other: string): boolean {
  return nameKey(one) === nameKey(other);
}
