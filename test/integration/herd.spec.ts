import { Reader, type Snapshot } from '#src/database/reader.js';
import type { Sql, SqlValue } from '#src/database/sql.js';
import type { Position } from '#src/protocol/models.js';

import { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { openWire, WIRE_TRANSPORTS } from '../support/wire-transports.js';

const CLIENTS = 200;
const ROOMS = ['herd-1', 'herd-2', 'herd-3', 'herd-4'];
const MISSED = 30;
/** On a busy machine, so many hellos take some time. */
const SETTINGS = { PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '60000' };

/** Records the statements of each snapshot of the reader while `body` runs. */
async function countingReads(body: () => Promise<unknown>): Promise<string[][]> {
  const { snapshot } = Reader.prototype;
  const reads: string[][] = [];
  Reader.prototype.snapshot = function <R>(this: Reader, queries: (s: Snapshot) => Promise<R>) {
    const statements: string[] = [];
    reads.push(statements);
    return snapshot.call(this, ({ sql, manager }) =>
      queries({ sql: listening(sql, statements), manager }),
    ) as Promise<R>;
  };
  try {
    await body();
    return reads;
  } finally {
    Reader.prototype.snapshot = snapshot;
  }
}

function listening(sql: Sql, statements: string[]): Sql {
  const note = (statement: string) => void statements.push(statement);
  return {
    all: <Row>(statement: string, ...values: SqlValue[]) => {
      note(statement);
      return sql.all<Row>(statement, ...values);
    },
    get: <Row>(statement: string, ...values: SqlValue[]) => {
      note(statement);
      return sql.get<Row>(statement, ...values);
    },
    run: (statement, ...values) => sql.run(statement, ...values),
  };
}

function isAboutRooms(statement: string): boolean {
  return statement.includes('room_events') || statement.includes('FROM members');
}

/** Connects all clients, over all transports. */
async function connectAll(server: TestServer): Promise<TestClient[]> {
  return Promise.all(
    Array.from({ length: CLIENTS }, (_, index) => {
      const transport = WIRE_TRANSPORTS[index % WIRE_TRANSPORTS.length] ?? 'websocket';
      return TestClient.connect((listener) => openWire(transport, server.port, listener));
    }),
  );
}

const roomOf = (index: number) => ROOMS[index % ROOMS.length] ?? '';

/** Makes every client miss some messages of its room; returns the positions before that. */
async function miss(clients: readonly TestClient[]): Promise<Map<string, Position>> {
  for (const [index, client] of clients.entries()) {
    await client.ok('hello', { protocol: 1, name: 'herd' });
    await client.ok('room.join', { room: roomOf(index), create: true });
  }
  const positions = new Map<string, Position>();
  for (const [index, room] of ROOMS.entries()) {
    const client = clients[index] as TestClient;
    const { epoch, seq } = await client.ok('message.history', { room });
    positions.set(room, { epoch, seq });
    for (let i = 0; i < MISSED; i++) await client.ok('message.send', { room, text: 'missed' });
  }
  return positions;
}

test(`${String(CLIENTS)} clients that reconnect at once read each room only once`, async () => {
  let server = await startServer(SETTINGS);
  const { dispose, env } = server;
  const before = await connectAll(server);
  const positions = await miss(before);
  await Promise.all(before.map((client) => client.close()));
  await server.stop();

  server = await startServer(env);
  const back = await connectAll(server);
  const positionOf = (index: number) => positions.get(roomOf(index)) as Position;
  const reads = await countingReads(() =>
    Promise.all(
      back.map((client, index) => {
        const { token = '' } = before[index]?.welcome ?? {};
        const resume = { [roomOf(index)]: positionOf(index) };
        return client.ok('hello', { protocol: 1, token, resume });
      }),
    ),
  );
  const ofRooms = reads.filter((statements) => statements.some(isAboutRooms));
  expect(ofRooms).toHaveLength(ROOMS.length);
  // In addition, each client is looked up once, by its key.
  expect(reads.length).toBeLessThanOrEqual(CLIENTS + ROOMS.length);
  for (const [index, client] of back.entries()) {
    await client.roundTrip();
    const seqs = client.logged(roomOf(index)).map(({ data }) => data['seq']);
    const from = positionOf(index).seq + 1;
    expect(seqs).toEqual(Array.from({ length: MISSED }, (_, missed) => from + missed));
  }
  await Promise.all(back.map((client) => client.close()));
  await server.stop();
  await dispose();
}, 60_000);
