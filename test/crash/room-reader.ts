import type { Message } from '#src/protocol/models.js';

import { TestClient, type ReceivedEvent } from '../support/client.js';
import { openWire } from '../support/wire-transports.js';

const HISTORY_PAGE = 100;

/** The log and the messages of a room. */
export interface RoomContents {
  readonly log: readonly ReceivedEvent[];
  readonly history: readonly Message[];
}

/** Reads rooms from their start, with the commands of ordinary clients. */
export class RoomReader {
  private token: string | undefined;

  /** Reads the complete log and history of a room. */
  async read(port: number, room: string): Promise<RoomContents> {
    const client = await TestClient.connect((listener) => openWire('websocket', port, listener));
    try {
      const identity = this.token === undefined ? { name: 'reader' } : { token: this.token };
      this.token = (await client.ok('hello', { protocol: 1, ...identity })).token;
      await client.ok('room.join', { room });
      return { log: await readLog(client, room), history: await readHistory(client, room) };
    } finally {
      await client.close();
    }
  }
}

async function readLog(client: TestClient, room: string): Promise<ReceivedEvent[]> {
  const { epoch } = await client.ok('message.history', { room, limit: 1 });
  const log: ReceivedEvent[] = [];
  for (let after = 0, hasMore = true; hasMore;) {
    const page = await client.ok('room.sync', { room, epoch, after });
    if (!('complete' in page) || !page.complete) throw new Error(JSON.stringify(page));
    log.push(...(page.events as ReceivedEvent[]));
    ({ seq: after, hasMore } = page);
  }
  return log;
}

async function readHistory(client: TestClient, room: string): Promise<Message[]> {
  const messages: Message[] = [];
  for (let after = 0, hasMore = true; hasMore; after = messages.at(-1)?.seq ?? 0) {
    const page = await client.ok('message.history', { room, after, limit: HISTORY_PAGE });
    messages.push(...page.messages);
    ({ hasMore } = page);
  }
  return messages;
}
