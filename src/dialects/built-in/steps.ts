import { randomUUID } from 'node:crypto';

import type { Message } from '../../protocol/models.js';
import type { CommandStep, DialectConnection, DialectContext } from '../dialect.js';

/** Returns the commands that make the connection a guest in the default room, if it is not. */
export function enterDefaultRoom(
  { user, rooms }: DialectConnection<unknown>,
  { defaultRoom }: DialectContext,
  name?: string,
): CommandStep[] {
  const steps: CommandStep[] = [];
  if (user === null) steps.push({ ask: 'hello', data: name === undefined ? {} : { name } });
  if (!rooms.has(defaultRoom)) steps.push({ ask: 'room.join', data: { room: defaultRoom } });
  return steps;
}

/** Returns the command that sends a message to a room. */
export function sendMessage(room: unknown, text?: unknown): CommandStep {
  return { ask: 'message.send', data: { room, text, cid: randomUUID() } };
}

/** Returns a message as one line of text, with file names in brackets; null if it was deleted. */
export function messageLine({ text, attachments = [], deletedAt }: Message): string | null {
  if (deletedAt !== undefined) return null;
  const names = attachments.map(({ name }) => `[${name}]`);
  return (text === '' ? names : [text, ...names]).join(' ');
}
