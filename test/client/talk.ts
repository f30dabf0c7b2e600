import type { Message } from '#src/protocol/models.js';

import type { TestClient } from '../support/client.js';
import type { Scene } from './scene.js';
import type { WatchedChat } from './watched-chat.js';

/** The room of the tests. */
export const ROOM = 'general';

/** Connects a user who sends plain frames and is in the room. */
export async function member(scene: Scene, name = 'rob', hello: object = {}): Promise<TestClient> {
  const client = await scene.bystander(name, hello);
  await client.ok('room.join', { room: ROOM });
  return client;
}

/** Sends a message to the room. */
export async function say(client: TestClient, text: string): Promise<Message> {
  return (await client.ok('message.send', { room: ROOM, text })).message;
}

/** Returns the position of the last event of the room. */
export async function headOf(client: TestClient): Promise<number> {
  return (await client.ok('room.sync', { room: ROOM })).seq;
}

/** Returns the positions of a room after the cut of a client, up to another position. */
export function afterCut({ cut }: WatchedChat, head: number): number[] {
  const first = (cut?.seq ?? 0) + 1;
  return Array.from({ length: head - first + 1 }, (_, i) => first + i);
}
