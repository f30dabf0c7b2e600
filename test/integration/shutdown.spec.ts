import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import { TestClient } from '../support/client.js';
import { ChildServer } from '../support/child-server.js';
import { eventually } from '../support/eventually.js';
import { HeldWriter } from '../support/held-writer.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { dropDatabase, freshDatabase, startServer } from '../support/server.js';
import {
  connectClient,
  openWire,
  WIRE_TRANSPORTS,
  type WireTransport,
} from '../support/wire-transports.js';

const ROOM = 'shutdown';
const STOP_MS = 30_000;
/** Maximum number of answers by which a chatter may be ahead of the slowest one. */
const MOST_AHEAD = 24;
const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

afterEach(() => ChildServer.killAll());

/** A client that sends messages until its connection ends. */
class Chatter {
  readonly sent = new Map<string, string>();
  private readonly replies = new Map<string, boolean>();
  private read = 0;

  private constructor(
    readonly transport: WireTransport,
    readonly client: TestClient,
  ) {}

  static async join(transport: WireTransport, port: number): Promise<Chatter> {
    const client = await connectClient(transport, port, { name: 'ann' });
    await client.ok('room.join', { room: ROOM, create: true });
    return new Chatter(transport, client);
  }

  /** Keeps commands in flight, without getting far ahead of clients that poll for answers. */
  async chat(all: readonly Chatter[]): Promise<void> {
    const { client } = this;
    while (client.closedAs === undefined) {
      const ids = Array.from({ length: 8 }, () => this.send());
      await client.until(() => {
        if (client.closedAs !== undefined) return true;
        const answers = this.answers();
        const isAhead = all.some((one) => one.answers() < answers - MOST_AHEAD);
        return !isAhead && answers >= this.sent.size - ids.length / 2;
      }, 'answers or the end');
    }
  }

  /** Returns the cids of the acknowledged messages. */
  acknowledged(): string[] {
    this.readReplies();
    return [...this.sent].flatMap(([id, cid]) => (this.replies.get(id) === true ? [cid] : []));
  }

  private answers(): number {
    this.readReplies();
    return this.replies.size;
  }

  private send(): string {
    const cid = `${this.transport}-${String(this.sent.size)}`;
    const id = this.client.post('message.send', { room: ROOM, text: cid, cid });
    this.sent.set(id, cid);
    return id;
  }

  /** Reads each frame only once, because there are many. */
  private readReplies(): void {
    const frames = this.client.frames as { re?: string; ok: boolean }[];
    for (const { re, ok } of frames.slice(this.read)) {
      if (re !== undefined && this.sent.has(re)) this.replies.set(re, ok);
    }
    this.read = frames.length;
  }
}

test('exactly the commands accepted before SIGTERM are stored and answered', async () => {
  const env = await freshDatabase();
  const server = await ChildServer.start(env);
  const chatters = await Promise.all(
    [...WIRE_TRANSPORTS, ...WIRE_TRANSPORTS].map((one) => Chatter.join(one, server.port)),
  );
  const chats = chatters.map((chatter) => chatter.chat(chatters));
  await eventually(() => chatters.every((one) => one.acknowledged().length >= 20), 'the load');
  const asked = performance.now();
  const exit = await server.kill('SIGTERM');
  expect(performance.now() - asked).toBeLessThan(STOP_MS);
  expect(exit).toEqual({ code: 0, signal: null });
  await Promise.all(chats);
  const again = await ChildServer.start(env);
  for (const { client, sent, acknowledged } of chatters.map(withTruth)) {
    const [bye, ...more] = client.events('bye').map(({ data }) => data);
    expect(more).toEqual([]);
    expect(bye).toMatchObject({ code: 4201, reconnect: true });
    expect(bye?.['delayMs']).toBeGreaterThanOrEqual(0);
    expect(bye?.['delayMs']).toBeLessThanOrEqual(10_000);
    const stored = await storedCids(again.port, client.welcome.token ?? '', sent);
    expect(stored).toEqual(acknowledged);
  }
  await ChildServer.killAll();
  await dropDatabase(env);
}, 90_000);

function withTruth(chatter: Chatter) {
  const { client, sent } = chatter;
  return { client, sent: [...sent.values()], acknowledged: chatter.acknowledged() };
}

async function storedCids(port: number, token: string, cids: string[]): Promise<string[]> {
  const client = await connectClient('websocket', port, { token });
  const found = await Promise.all(
    cids.map(async (cid) => (await client.ok('message.status', { room: ROOM, cid })).found),
  );
  await client.close();
  return cids.filter((_, index) => found[index]);
}

test('a draining server is not ready, answers accepted commands, and accepts no connections', async () => {
  const server = await startServer();
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  await client.ok('room.join', { room: ROOM, create: true });
  const held = await HeldWriter.hold(server);
  const id = client.post('message.send', { room: ROOM, text: 'in work' });
  await held.untilQueued(1);
  const stopped = server.stop();
  const ready = async () => (await fetch(`${server.url}/readyz`)).status;
  await eventually(async () => (await ready()) === 503, 'not to be ready');
  for (const transport of WIRE_TRANSPORTS) {
    const late = await TestClient.connect((one) => openWire(transport, server.port, one));
    expect(await late.event('bye')).toMatchObject({ code: 4201, reconnect: true });
    await late.end();
  }
  expect(client.closedAs).toBeUndefined();
  held.release();
  expect(await client.reply(id)).toMatchObject({ ok: true });
  expect(await client.event('bye')).toMatchObject({ code: 4201 });
  expect((await client.end()).code).toBe(4201);
  await stopped;
  await server.dispose();
}, 60_000);

/** Sends of unresponsive clients that could delay a stop. */
const STALLED_CLIENTS = {
  nothing: '',
  'half a request': 'GET / HTTP/1.1\r\nHost: 127.0',
  'half a body':
    'POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
    'Content-Length: 100\r\n\r\n4',
  'a request on a connection to be kept':
    'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n',
  'an upgrade': UPGRADE,
};

test(`clients that send ${Object.keys(STALLED_CLIENTS).join(', or ')} do not delay the stop`, async () => {
  const env = await freshDatabase();
  const server = await ChildServer.start(env);
  const sockets = Object.values(STALLED_CLIENTS).flatMap((sent) =>
    [true, false].map((reads) => {
      const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
      if (reads) socket.resume();
      socket.write(sent);
      return socket;
    }),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // When this later request is answered, the server has read the others.
  await (await fetch(`${server.url}/healthz`)).text();
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  for (const socket of sockets) socket.destroy();
  await dropDatabase(env);
}, 60_000);

// Five timeouts in a row would take longer than a stop may take.
const HANGING_BOT = `
import { defineChatBot } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
export default defineChatBot({
  name: 'sloth',
  timeoutMs: 7_000,
  commands: {
    hang: {
      help: '/hang',
      run: async (bot) => {
        await bot.say('hanging');
        await new Promise(() => undefined);
      },
    },
  },
});
`;

test('a hanging bot with queued commands does not delay the stop', async () => {
  const folder = await makeScratchFolder();
  const file = join(folder, 'sloth.bot.js');
  await writeFile(file, HANGING_BOT);
  const env = await freshDatabase();
  const bots = { PARLANCE_BOTS: file, PARLANCE_ROOM_BOTS: 'sloth' };
  const server = await ChildServer.start({ ...env, ...bots });
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  const room = 'general';
  await client.ok('room.join', { room });
  for (let i = 0; i < 10; i++) await client.ok('message.send', { room, text: '/hang' });
  await client.event('message.created', ({ message }) => message.text === 'hanging');
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(await client.event('bye')).toMatchObject({ code: 4201, reconnect: true });
  await dropDatabase(env);
  await rm(folder, { recursive: true });
}, 90_000);
