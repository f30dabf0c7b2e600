import { foldDisplayName } from '../../../protocol/names.js';
import type { DialectConnection, DialectContext, EmitStep, Step } from '../../dialect.js';

/** State of one connection. */
export interface State {
  /** Rooms that the user joined: their typed names by room id. */
  readonly joined: Map<string, string>;
}

export type Connection = DialectConnection<State>;
export type Steps = readonly Step<State>[];

/** Error text of the original server for input it cannot parse and for clients that have not joined. */
export const UNREADABLE = 'JSON Parse failed';

/** Returns the name by which the user knows a joined room; undefined for any other room. */
export function typedRoomName(
  { rooms, state }: Connection,
  room: string,
  { defaultRoom }: DialectContext,
): string | undefined {
  // The connection enters the default room, and the rooms of a returning guest, without a typed name.
  return state.joined.get(room) ?? (room === defaultRoom ? undefined : rooms.get(room));
}

/** Returns the event that reports an error, in the format of the original server. */
export function errorEvent(message: string): EmitStep<State> {
  return { emit: 'message', data: `{"code": 99, "message": ${JSON.stringify(message)}}` };
}

/** Returns the event that lists the users of a room. */
export function userListEvent(names: readonly string[]): EmitStep<State> {
  const upper = names.map((name) => name.toUpperCase());
  return { emit: 'chat', data: { type: 'users', message: `Users in room: ${pythonList(upper)}` } };
}

/** Returns the event that shows a text. */
export function textEvent(sender: string, message: string): EmitStep<State> {
  return { emit: 'chat', data: { type: 'chat', from: sender.toUpperCase(), message } };
}

/** Returns the payload that announces a new user. */
export function joinPayload(user: string, room: string): unknown {
  return { type: 'newuser', message: `New User ${user} joined room ${room}` };
}

/** Returns the payload that tells a user why a join was refused. */
export function joinRefusedPayload(room: string, why: string): unknown {
  return { type: 'newuser', message: `You did not join room ${room}: ${why}` };
}

/** Returns the payload that announces that a user left. */
export function leavePayload(user: string, room: string): unknown {
  return { type: 'deluser', message: `User ${user} left room ${room}` };
}

/** Returns whether two names are the same, ignoring case. */
export function isSameName(one: string, other: string): boolean {
  return foldDisplayName(one) === foldDisplayName(other);
}

/** Formats texts as Python prints a list, such as `['ANN', "O'BRIEN"]`. */
function pythonList(texts: readonly string[]): string {
  return `[${texts.map(pythonString).join(', ')}]`;
}

function pythonString(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\');
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}
