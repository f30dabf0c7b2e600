import type { WriteJob } from '#src/database/write-job.js';
import type { Message } from '#src/protocol/models.js';

import { RoomReader } from '../crash/room-reader.js';
import { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { Random } from '../support/random.js';
import { startServer, type TestServer } from '../support/server.js';
import { SmallDisk } from '../support/small-disk.js';
import {
  connectClient,
  openWire,
  WIRE_TRANSPORTS,
  type WireTransport,
} from '../support/wire-transports.js';

const ROOM = 'disk';
/** A text that needs more than three pages of SQLite. */
const LONG = '長'.repeat(4_000);
const ROUNDS = 20;

const isPostgres = process.env['TEST_DATABASE'] === 'postgres';
const onSqlite = isPostgres ? describe.skip : describe;

/** The commands that write. */
const WRITES: Record<string, (own: Message) => object> = {
  'message.send': () => ({ room: ROOM, text: 'kept out', cid: 'kept out' }),
  'message.edit': ({ id: message }) => ({ room: ROOM, message, text: 'edited' }),
  'message.delete': ({ id: message }) => ({ room: ROOM, message }),
  'message.react': ({ id: message }) => ({ room: ROOM, message, emoji: '👍' }),
  'message.unreact': ({ id: message }) => ({ room: ROOM, message, emoji: '🎉' }),
  'room.create': () => ({ room: 'created' }),
  'room.join': () => ({ room: 'joined', create: true }),
  'room.leave': () => ({ room: ROOM }),
  'user.update': () => ({ name: 'another' }),
};

/** The commands that read, and those that store nothing. */
const READS: Record<string, (own: Message) => object> = {
  'message.history': () => ({ room: ROOM }),
  'message.status': () => ({ room: ROOM, cid: 'kept out' }),
  'room.sync': () => ({ room: ROOM }),
  'room.get': () => ({ room: ROOM }),
  'room.list': () => ({}),
  'room.members': () => ({ room: ROOM }),
  'user.get': ({ sender }) => ({ user: sender.id }),
  'typing.set': () => ({ room: ROOM, active: true }),
  'auth.refresh': () => ({}),
  'session.ping': () => ({}),
};

/** Makes the rest of a transaction fail; in PostgreSQL, a savepoint would end that failure. */
const refuseRest: WriteJob<void> = async ({ sql }) => {
  const statements = isPostgres
    ? ['RELEASE SAVEPOINT job', 'SET TRANSACTION READ ONLY', 'SAVEPOINT job']
    : ['PRAGMA query_only = ON'];
  for (const statement of statements) await sql.run(statement);
};

let server: TestServer;
let clients: TestClient[];
/** The acknowledged messages. */
let acknowledged: Message[];

/** Starts a server, and sends a message from one client on each transport. */
async function startWithMessages(): Promise<void> {
  server = await startServer();
  clients = await Promise.all(
    WIRE_TRANSPORTS.map((transport) => connectClient(transport, server.port, { name: 'ann' })),
  );
  acknowledged = [];
  for (const client of clients) {
    await client.ok('room.join', { room: ROOM, create: true });
    await send(client, 'before');
    const { id } = ownOf(client);
    const react = { room: ROOM, message: id, emoji: '🎉' };
    acknowledged.splice(-1, 1, (await client.ok('message.react', react)).message);
  }
}

async function end(): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
  await server.dispose();
}

/** Sends a message that must be stored now and was not stored before. */
async function send(client: TestClient, text: string, cid?: string): Promise<void> {
  const given = cid === undefined ? {} : { cid };
  const reply = await client.ok('message.send', { room: ROOM, text, ...given });
  expect(reply.duplicate).toBe(false);
  acknowledged.push(reply.message);
}

async function unavailable(client: TestClient, cmd: string, data: object): Promise<void> {
  expect((await client.expectError(cmd, data, 'unavailable')).retryable).toBe(true);
}

function ownOf({ welcome }: TestClient): Message {
  return acknowledged.find(({ sender }) => sender.id === welcome.user.id) as Message;
}

/** Compares the stored messages, and those that all clients saw, with the acknowledged ones. */
async function expectNothingLost(): Promise<void> {
  const { log, history } = await new RoomReader().read(server.port, ROOM);
  const seqs = log.map(({ data }) => data['seq']);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  expect(history).toEqual(acknowledged.toSorted((a, b) => a.seq - b.seq));
  for (const client of clients) {
    await client.roundTrip();
    const seen = client.logged(ROOM).map(({ data }) => data['seq'] as number);
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
    expect(seen.length).toBeGreaterThanOrEqual(acknowledged.length - clients.length);
    expect(client.events('bye')).toEqual([]);
    expect(client.closedAs).toBeUndefined();
  }
}

async function health(path: 'healthz' | 'readyz'): Promise<{ code: number; body: unknown }> {
  const response = await fetch(`${server.url}/${path}`);
  return { code: response.status, body: await response.json() };
}

onSqlite('a full disk under SQLite', () => {
  let disk: SmallDisk;

  beforeEach(async () => {
    await startWithMessages();
    disk = new SmallDisk(server);
  });

  afterEach(end);

  test('refuses messages, loses none, and stores each once when it has space again', async () => {
    disk.leavePages(0);
    for (const client of clients) {
      const message = { room: ROOM, text: LONG, cid: 'long' };
      await unavailable(client, 'message.send', message);
      await unavailable(client, 'message.send', message);
      const status = await client.ok('message.status', { room: ROOM, cid: 'long' });
      expect(status).toEqual({ found: false });
    }
    await expectNothingLost();
    disk.removeLimit();
    for (const client of clients) {
      await send(client, LONG, 'long');
      const again = await client.ok('message.send', { room: ROOM, text: LONG, cid: 'long' });
      expect(again).toEqual({ message: acknowledged.at(-1), duplicate: true });
    }
    await expectNothingLost();
  });

  test('keeps all acknowledged messages when it fills up to the last page', async () => {
    const random = new Random(1);
    disk.leavePages(ROUNDS);
    const refused: [TestClient, string, string][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(
        clients.map(async (client) => {
          const text = LONG.slice(0, random.between(1, LONG.length));
          const data = { room: ROOM, text, cid: `round ${String(round)}` };
          const reply = await client.call('message.send', data);
          if (reply.ok) acknowledged.push((reply.data as { message: Message }).message);
          else {
            expect(reply.error.code).toBe('unavailable');
            refused.push([client, text, data.cid]);
          }
        }),
      );
    }
    expect(acknowledged.length).toBeGreaterThan(clients.length);
    expect(refused.length).toBeGreaterThan(0);
    await expectNothingLost();
    disk.removeLimit();
    for (const [client, text, cid] of refused) await send(client, text, cid);
    await expectNothingLost();
  });

  test('refuses a message that does not fit among those that share a transaction', async () => {
    disk.leavePages(2);
    const held = await HeldWriter.hold(server);
    const texts = ['short', LONG, 'short too'];
    const sent = clients.map((client, index) => {
      return client.post('message.send', { room: ROOM, text: texts[index], cid: 'shared' });
    });
    await held.untilQueued(texts.length);
    held.release();
    const replies = await Promise.all(clients.map((client, index) => client.reply(sent[index])));
    for (const reply of replies) {
      if (reply.ok) acknowledged.push((reply.data as { message: Message }).message);
      else expect(reply.error.code).toBe('unavailable');
    }
    expect(replies[1]?.ok).toBe(false);
    await expectNothingLost();
    disk.removeLimit();
    for (const [index, client] of clients.entries()) {
      if (replies[index]?.ok === false) await send(client, texts[index] ?? '', 'shared');
    }
    await expectNothingLost();
  });
});

describe('storage that refuses writes', () => {
  let disk: SmallDisk;

  beforeEach(async () => {
    await startWithMessages();
    disk = new SmallDisk(server);
  });

  afterEach(end);

  test('fails every write with `unavailable`', async () => {
    await disk.setReadOnly(true);
    for (const client of clients) {
      for (const [cmd, data] of Object.entries(WRITES)) {
        await unavailable(client, cmd, data(ownOf(client)));
      }
    }
    await disk.setReadOnly(false);
    await expectNothingLost();
    for (const client of clients) await send(client, 'kept out', 'kept out');
    await expectNothingLost();
  });

  test('rolls back a transaction that fails halfway', async () => {
    const [ann, sam] = clients as [TestClient, TestClient];
    const message = { room: ROOM, text: 'undone', cid: 'undone' };
    const held = await HeldWriter.hold(server);
    const before = ann.post('message.send', message);
    await held.untilQueued(1);
    const shared = expect(held.add(refuseRest)).rejects.toThrow();
    const after = sam.post('message.send', message);
    await held.untilQueued(3);
    held.release();
    await shared;
    for (const reply of [await ann.reply(before), await sam.reply(after)]) {
      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    }
    await disk.setReadOnly(false);
    await expectNothingLost();
    for (const client of [ann, sam]) await send(client, message.text, message.cid);
    await expectNothingLost();
  });

  test('still answers reads, also for clients that reconnect', async () => {
    const { epoch, seq } = await (clients[0] as TestClient).ok('message.history', { room: ROOM });
    await disk.setReadOnly(true);
    for (const [index, client] of clients.entries()) {
      const { token, user } = client.welcome;
      await client.close();
      const transport = WIRE_TRANSPORTS[index] as WireTransport;
      const resume = { [ROOM]: { epoch, seq: 1 } };
      const back = await connectClient(transport, server.port, { token, resume });
      clients[index] = back;
      expect(back.welcome).toMatchObject({ user, resumed: { [ROOM]: { complete: true } } });
      await back.until(() => back.logged(ROOM).length === seq - 1, 'what was missed');
      for (const [cmd, data] of Object.entries(READS)) {
        expect(await back.call(cmd, data(ownOf(back)))).toMatchObject({ ok: true });
      }
    }
    const stranger = await TestClient.connect((one) => openWire('websocket', server.port, one));
    await stranger.ok('hello', { protocol: 1 });
    await unavailable(stranger, 'room.join', { room: ROOM });
    await stranger.close();
    await disk.setReadOnly(false);
    await expectNothingLost();
  });

  test('leaves the process running and ready, and /readyz reports it', async () => {
    const [client] = clients as [TestClient];
    expect(await health('readyz')).toEqual({ code: 200, body: { status: 'ok' } });
    await disk.setReadOnly(true);
    await unavailable(client, 'message.send', { room: ROOM, text: 'kept out' });
    expect(await health('readyz')).toEqual({ code: 200, body: { status: 'read-only' } });
    expect(await health('healthz')).toEqual({ code: 200, body: { status: 'ok' } });
    await disk.setReadOnly(false);
    await send(client, 'taken');
    expect(await health('readyz')).toEqual({ code: 200, body: { status: 'ok' } });
  });

  test('does not delay the stop', async () => {
    await disk.setReadOnly(true);
    const [client] = clients as [TestClient];
    const last = client.post('message.send', { room: ROOM, text: 'last' });
    expect(await client.reply(last)).toMatchObject({ ok: false });
    await server.stop();
    for (const one of clients) expect(await one.event('bye')).toMatchObject({ code: 4201 });
    server = await startServer(server.env);
    const { history } = await new RoomReader().read(server.port, ROOM);
    expect(history).toEqual(acknowledged);
  });
});
