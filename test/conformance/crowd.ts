import assert from 'node:assert/strict';

import { openInMemory } from '../support/channels/in-memory.channel.js';
import { TestClient } from '../support/client.js';
import type { Scene } from './suite.js';

/** Connects guests to a room, in memory: over the transport under test it would take long. */
export async function connectCrowd(
  { server }: Scene,
  room: string,
  size: number,
): Promise<TestClient[]> {
  assert(server !== undefined, 'the server is in this process');
  const guests: TestClient[] = [];
  while (guests.length < size) {
    const guest = await TestClient.connect((listener) => openInMemory(server.inMemory, listener));
    await guest.ok('hello', { protocol: 1 });
    await guest.ok('room.join', { room });
    guests.push(guest);
  }
  return guests;
}
