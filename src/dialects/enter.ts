import { randomUUID } from 'node:crypto';

import type { Ask, Listener, Surroundings } from './dialect.js';

/** Makes the connection a guest who is in the public room, if it is not yet. */
export function enter(
  { user, rooms }: Listener<unknown>,
  { publicRoom }: Surroundings,
  name?: string,
): Ask[] {
  const steps: Ask[] = [];
  if (user === null) steps.push({ ask: 'hello', data: name === undefined ? {} : { name } });
  if (!rooms.has(publicRoom)) steps.push({ ask: 'room.join', data: { room: publicRoom } });
  return steps;
}

/** Sends a text to a room. */
export function send(room: unknown, text?: unknown, note?: unknown): Ask {
  return { ask: 'message.send', data: { room, text, cid: randomUUID() }, note };
}
