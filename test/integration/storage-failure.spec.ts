import type { WriteJob } from '#src/database/writer.js';
import type { Message } from '#src/protocol/models.js';

import { RoomReader } from '../crash/room-reader.js';
import { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { Random } from '../support/random.js';
import { startServer, type TestServer } from '../support/server.js';
import { SmallDisk } from '../support/small-disk.js';
import {
  greet,
  openWire,
  WIRE_TRANSPORTS,
  type WireTransport,
} from '../support/wire-transports.js';

const ROOM = 'disk';
/** Needs three pages of SQLite and more. */
const LONG = '長'.repeat(4_000);
const ROUNDS = 20;

const isPostgres = process.env['TEST_DATABASE'] === 'postgres';
const onSqlite = isPostgres ? describe.skip : describe;

/** A command for each way to change what is stored. */
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

/** A command for each way to read, and for all that is not stored. */
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

/** Has the rest of a transaction refused; in PostgreSQL a savepoint would end that with it. */
const refuseRest: WriteJob<void> = async ({ sql }) => {
  const statements = isPostgres
    ? ['RELEASE SAVEPOINT job', 'SET TRANSACTION READ ONLY', 'SAVEPOINT job']
    : ['PRAGMA query_only = ON'];
  for (const statement of statements) await sql.run(statement);
};

let server: TestServer;
let clients: TestClient[];
/** What was acknowledged. */
let acknowledged: Message[];

/** Starts a server where one client on each transport has said something. */
async function begin(): Promise<void> {
  server = await startServer();
  clients = await Promise.all(
    WIRE_TRANSPORTS.map((transport) => greet(transport, server.port, { name: 'ann' })),
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

/** Sends a message that must be stored now and not before. */
async function send(client: TestClient, text: string, cid?: string): Promise<void> {
  const given = cid === undefined ? {} : { cid };
  const reply = await client.ok('message.send', { room: ROOM, text, ...given });
  expect(reply.duplicate).toBe(false);
  acknowledged.push(reply.message);
}

async function unavailable(client: TestClient, cmd: string, data: object): Promise<void> {
  expect((await client.refused(cmd, data, 'unavailable')).retryable).toBe(true);
}

function ownOf({ welcome }: TestClient): Message {
  return acknowledged.find(({ sender }) => sender.id === welcome.user.id) as Message;
}

/** Compares what is stored, and what everybody saw, with what was acknowledged. */
async function expectNothingLost(): Promise<void> {
  const { log, history } = await new RoomReader().read(server.port, ROOM);
  const seqs = log.map(({ data }) => data['seq']);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  expect(history).toEqual(acknowledged.toSorted((a, b) => a.seq - b.seq));
  for (const client of clients) {
    await client.settled();
    const seen = client.logged(ROOM).map(({ data }) => data['seq'] as number);
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
    expect(seen.length).toBeGreaterThanOrEqual(acknowledged.length - clients.length);
    expect(client.events('bye')).toEqual([]);
    expect(client.closedAs).toBeUndefined();
  }
}

async function health(path: 'healthz' | 'readyz'): Promise<[number, unknown]> {
  const response = await fetch(`${server.url}/${path}`);
  return [response.status, await response.json()];
}

onSqlite('a full disk under SQLite', () => {
  let disk: SmallDisk;

  beforeEach(async () => {
    await begin();
    disk = new SmallDisk(server);
  });

  afterEach(end);

  test('keeps messages out, loses none, and takes them once as soon as it has room', async () => {
    disk.leave(0);
    for (const client of clients) {
      const message = { room: ROOM, text: LONG, cid: 'long' };
      await unavailable(client, 'message.send', message);
      await unavailable(client, 'message.send', message);
      const status = await client.ok('message.status', { room: ROOM, cid: 'long' });
      expect(status).toEqual({ found: false });
    }
    await expectNothingLost();
    disk.grow();
    for (const client of clients) {
      await send(client, LONG, 'long');
      const again = await client.ok('message.send', { room: ROOM, text: LONG, cid: 'long' });
      expect(again).toEqual({ message: acknowledged.at(-1), duplicate: true });
    }
    await expectNothingLost();
  });

  test('is filled to the last page, and what was acknowledged until then is there', async () => {
    const random = new Random(1);
    disk.leave(ROUNDS);
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
    disk.grow();
    for (const [client, text, cid] of refused) await send(client, text, cid);
    await expectNothingLost();
  });

  test('has no room for one of the messages that share a transaction', async () => {
    disk.leave(2);
    const held = await HeldWriter.of(server);
    const texts = ['short', LONG, 'short too'];
    const sent = clients.map((client, index) => {
      return client.post('message.send', { room: ROOM, text: texts[index], cid: 'shared' });
    });
    await held.waiting(texts.length);
    held.release();
    const replies = await Promise.all(clients.map((client, index) => client.reply(sent[index])));
    for (const reply of replies) {
      if (reply.ok) acknowledged.push((reply.data as { message: Message }).message);
      else expect(reply.error.code).toBe('unavailable');
    }
    expect(replies[1]?.ok).toBe(false);
    await expectNothingLost();
    disk.grow();
    for (const [index, client] of clients.entries()) {
      if (replies[index]?.ok === false) await send(client, texts[index] ?? '', 'shared');
    }
    await expectNothingLost();
  });
});

describe('storage that takes no change', () => {
  let disk: SmallDisk;

  beforeEach(async () => {
    await begin();
    disk = new SmallDisk(server);
  });

  afterEach(end);

  test('has every write answered by `unavailable`', async () => {
    await disk.refuse(true);
    for (const client of clients) {
      for (const [cmd, data] of Object.entries(WRITES)) {
        await unavailable(client, cmd, data(ownOf(client)));
      }
    }
    await disk.refuse(false);
    await expectNothingLost();
    for (const client of clients) await send(client, 'kept out', 'kept out');
    await expectNothingLost();
  });

  test('is found in the middle of a transaction, which is undone', async () => {
    const [ann, sam] = clients as [TestClient, TestClient];
    const message = { room: ROOM, text: 'undone', cid: 'undone' };
    const held = await HeldWriter.of(server);
    const before = ann.post('message.send', message);
    await held.waiting(1);
    const shared = expect(held.add(refuseRest)).rejects.toThrow();
    const after = sam.post('message.send', message);
    await held.waiting(3);
    held.release();
    await shared;
    for (const reply of [await ann.reply(before), await sam.reply(after)]) {
      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    }
    await disk.refuse(false);
    await expectNothingLost();
    for (const client of [ann, sam]) await send(client, message.text, message.cid);
    await expectNothingLost();
  });

  test('is read all the same, by who comes back too', async () => {
    const { epoch, seq } = await (clients[0] as TestClient).ok('message.history', { room: ROOM });
    await disk.refuse(true);
    for (const [index, client] of clients.entries()) {
      const { token, user } = client.welcome;
      await client.close();
      const transport = WIRE_TRANSPORTS[index] as WireTransport;
      const resume = { [ROOM]: { epoch, seq: 1 } };
      const back = await greet(transport, server.port, { token, resume });
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
    await disk.refuse(false);
    await expectNothingLost();
  });

  test('leaves the process alive and in service, and is told of', async () => {
    const [client] = clients as [TestClient];
    expect(await health('readyz')).toEqual([200, { status: 'ok' }]);
    await disk.refuse(true);
    await unavailable(client, 'message.send', { room: ROOM, text: 'kept out' });
    expect(await health('readyz')).toEqual([200, { status: 'read-only' }]);
    expect(await health('healthz')).toEqual([200, { status: 'ok' }]);
    await disk.refuse(false);
    await send(client, 'taken');
    expect(await health('readyz')).toEqual([200, { status: 'ok' }]);
  });

  test('does not hold up the stop', async () => {
    await disk.refuse(true);
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
