import type { Message } from '#src/protocol/models.js';

import type { TestClient } from '../support/client.js';
import type { Scene } from './suite.js';

// Default limit of packets in a polling request (P-9.5).
const BATCH = 50;

type Clients<Names extends readonly string[]> = { [K in keyof Names]: TestClient };

/** Connects users and joins them to a new room, the first as its owner. */
export async function meet<Names extends readonly string[]>(
  scene: Scene,
  ...names: Names
): Promise<{ room: string; clients: Clients<Names> }> {
  const room = scene.room();
  const clients: TestClient[] = [];
  for (const name of names) {
    const client = await scene.join(name);
    await client.ok('room.join', { room, create: true });
    clients.push(client);
  }
  return { room, clients: clients as unknown as Clients<Names> };
}

/** Opens another connection of the user of a client. */
export function connectAgain(
  scene: Scene,
  { welcome }: TestClient,
  hello: Readonly<Record<string, unknown>> = {},
): Promise<TestClient> {
  return scene.join('another', { token: welcome.token, ...hello });
}

/** Sends a message; returns it as stored. */
export async function say(
  client: TestClient,
  room: string,
  text: string,
  more: Readonly<{ cid?: string; replyTo?: string; cause?: string }> = {},
): Promise<Message> {
  return (await client.ok('message.send', { room, text, ...more })).message;
}

/** Sends messages in batches without waiting for each reply; their texts are numbers from 1. */
export async function sendMany(
  client: TestClient,
  room: string,
  count: number,
  betweenBatches: () => void = () => undefined,
): Promise<void> {
  for (let sent = 0; sent < count;) {
    const ids: string[] = [];
    for (; ids.length < BATCH && sent < count; sent++) {
      ids.push(client.post('message.send', { room, text: String(sent + 1) }));
    }
    betweenBatches();
    await client.reply(ids.at(-1));
  }
}
