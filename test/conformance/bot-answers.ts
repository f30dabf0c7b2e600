import type { EventData } from '#src/protocol/events.js';
import type { Message } from '#src/protocol/models.js';

import type { TestClient } from '../support/client.js';

/** Returns whether a bot has sent a message. */
export function isFromBot({ message }: EventData<'message.created'>): boolean {
  return message.sender.kind === 'bot';
}

/** Returns the next message of a bot that arrives. */
export async function nextAnswer(client: TestClient): Promise<Message> {
  return (await client.event('message.created', isFromBot)).message;
}
