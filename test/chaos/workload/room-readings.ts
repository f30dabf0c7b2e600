import { setTimeout as delay } from 'node:timers/promises';

import type { Message, RoomCut } from '#src/protocol/models.js';

import { TestClient, type ReceivedEvent } from '../../support/client.js';
import type { RoomReading } from '../evidence.js';
import type { Address } from './chaos-connection.js';

const HISTORY_PAGE = 100;
const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;

/** A member of all rooms that writes nothing, and reads them from each node. */
export class RoomReadings {
  private token: string | undefined;
  private readonly earlier = new Map<string, RoomCut>();

  constructor(private readonly rooms: readonly string[]) {}

  /** Creates the rooms. */
  async join(address: Address): Promise<void> {
    await this.connected(address, async (client) => {
      for (const room of this.rooms) await client.ok('room.join', { room, create: true });
    });
  }

  /** Keeps a cut of every room, from which {@link read} replays. */
  async keepCuts(address: Address): Promise<void> {
    await this.connected(address, async (client) => {
      for (const room of this.rooms) {
        this.earlier.set(room, (await client.ok('room.sync', { room })) as RoomCut);
      }
    });
  }

  /** Reads all rooms from a node. */
  read(address: Address): Promise<RoomReading[]> {
    return this.connected(address, async (client) => {
      const readings: RoomReading[] = [];
      for (const room of this.rooms) readings.push(await this.readRoom(client, address.node, room));
      return readings;
    });
  }

  private async readRoom(client: TestClient, node: number, room: string): Promise<RoomReading> {
    const cut = (await client.ok('room.sync', { room })) as RoomCut;
    const { epoch } = cut;
    const before = this.earlier.get(room);
    return {
      ...{ node, room, epoch, cut },
      log: await readLog(client, { room, epoch }, 0),
      history: await readHistory(client, room),
      ...(before === undefined
        ? {}
        : { earlier: { cut: before, events: await readLog(client, { room, epoch }, before.seq) } }),
    };
  }

  /** Does some reading; starts again if the node cannot answer yet after a fault. */
  private async connected<T>(
    address: Address,
    work: (client: TestClient) => Promise<T>,
  ): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await this.connectAnd(address, work);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(PAUSE_MS);
      }
    }
  }

  private async connectAnd<T>(
    address: Address,
    work: (client: TestClient) => Promise<T>,
  ): Promise<T> {
    const client = await TestClient.connect((listener) => address.open(listener));
    try {
      const identity = this.token === undefined ? { name: 'reader' } : { token: this.token };
      this.token = (await client.ok('hello', { protocol: 1, ...identity })).token;
      return await work(client);
    } finally {
      await client.close();
    }
  }
}

async function readLog(
  client: TestClient,
  room: { room: string; epoch: string },
  from: number,
): Promise<ReceivedEvent[]> {
  const log: ReceivedEvent[] = [];
  for (let after = from, hasMore = true; hasMore;) {
    const page = await client.ok('room.sync', { ...room, after });
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
