import {
  Writer,
  type AppendedEvent,
  type WriteJob,
  type WriteTransaction,
} from '#src/database/writer.js';
import { ProtocolError } from '#src/protocol/errors.js';
import { RoomLog } from '#src/rooms/room-log.js';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { startServer, type TestServer } from '../support/server.js';
import { greet } from '../support/wire-transports.js';

const ROOM = 'rollback';
const PAIRS = 12;

let server: TestServer;
let client: TestClient;
let commits: (readonly AppendedEvent[])[];

beforeAll(async () => {
  server = await startServer();
  client = await greet('websocket', server.port, { name: 'ann' });
  await client.ok('room.join', { room: ROOM, create: true });
  commits = [];
  const lost = () => {
    throw new Error('Nothing is to be lost here.');
  };
  server.app.get(Writer).listen({ committed: (events) => commits.push(events), lost });
});

afterAll(async () => {
  await client.close();
  await server.dispose();
});

/** Writes as a command does: a user, a position of the log, and an event at it. */
async function writeMuch(tx: WriteTransaction, id: string): Promise<void> {
  const user = { id, name: id, kind: 'guest' as const };
  await tx.sql.run(
    `INSERT INTO users (id, name, kind, created_at, last_seen_at) VALUES (?, 'x', 'guest', 0, 0)`,
    id,
  );
  await server.app.get(RoomLog, { strict: false }).append(tx, ROOM, 'user.updated', { user });
}

const FAILURES: Record<string, (user: string) => WriteJob<void>> = {
  'throws at once': () => () => {
    throw new Error('on purpose');
  },
  'throws after it wrote': (user) => async (tx) => {
    await writeMuch(tx, user);
    throw new Error('on purpose');
  },
  'breaks a rule after it wrote': (user) => async (tx) => {
    await writeMuch(tx, user);
    throw new ProtocolError('forbidden');
  },
  'violates a key': (user) => async (tx) => {
    await writeMuch(tx, user);
    await writeMuch(tx, user);
  },
  'says what is no SQL': (user) => async (tx) => {
    await writeMuch(tx, user);
    await tx.sql.run('SELEKT 1');
  },
};

test.each(Object.entries(FAILURES))('a job that %s takes nothing with it', async (_, makeJob) => {
  const before = await client.ok('message.history', { room: ROOM, limit: 1 });
  const held = await HeldWriter.of(server);
  const failing: Promise<unknown>[] = [];
  const sent: string[] = [];
  commits.length = 0;
  for (let i = 0; i < PAIRS; i++) {
    sent.push(client.post('message.send', { room: ROOM, text: `n ${String(i)}` }));
    // Each command is in the queue before the job that fails next to it.
    await held.waiting(2 * i + 1);
    failing.push(held.add(makeJob(`failed-${String(i)}`)));
  }
  const outcomes = Promise.allSettled(failing);
  held.release();
  const replies = await Promise.all(sent.map((id) => client.reply(id)));

  expect((await outcomes).map(({ status }) => status)).toEqual(failing.map(() => 'rejected'));
  expect(replies.filter(({ ok }) => !ok)).toEqual([]);
  // They did share a transaction.
  expect(commits.map((events) => events.length)).toEqual([PAIRS]);
  const { seq } = await client.ok('message.history', { room: ROOM, limit: 1 });
  expect(seq).toBe(before.seq + PAIRS);
});

test('what the failed jobs had written is gone, and the log has no gap', async () => {
  const { epoch, seq } = await client.ok('message.history', { room: ROOM, limit: 1 });
  const replay = await client.ok('room.sync', { room: ROOM, epoch, after: 0 });
  const events = 'complete' in replay && replay.complete ? replay.events : [];
  const seqs = events.map(({ data }) => data.seq);
  expect(seqs).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  expect(events.some(({ event }) => event === 'user.updated')).toBe(false);
  expect(client.logged(ROOM).map(({ data }) => data['seq'])).toEqual(seqs.slice(2));
  const users = await server.app
    .get(Writer)
    .run(({ sql }) => sql.all(`SELECT id FROM users WHERE id LIKE 'failed-%'`));
  expect(users).toEqual([]);
});
