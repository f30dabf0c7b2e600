import type { AppendedEvent, WriteJob, WriteTransaction } from '#src/database/write-job.js';
import { Writer } from '#src/database/writer.js';
import { ProtocolError } from '#src/protocol/errors.js';
import { RoomLog } from '#src/store/room-log.js';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'rollback';
const PAIRS = 12;

let server: TestServer;
let client: TestClient;
let commits: (readonly AppendedEvent[])[];

beforeAll(async () => {
  server = await startServer();
  client = await connectClient('websocket', server.port, { name: 'ann' });
  await client.ok('room.join', { room: ROOM, create: true });
  commits = [];
  const restored = () => Promise.reject(new Error('Nothing is to be lost here.'));
  server.app.get(Writer).listen({ committed: (events) => commits.push(events), restored });
});

afterAll(async () => {
  await client.close();
  await server.dispose();
});

/** Writes like a command: a user, and an event at a new position of the log. */
async function writeLikeCommand(tx: WriteTransaction, id: string): Promise<void> {
  const user = { id, name: id, kind: 'guest' as const };
  await tx.sql.run(
    `INSERT INTO users (id, name, kind, created_at, last_seen_at) VALUES ($1, 'x', 'guest', 0, 0)`,
    id,
  );
  await server.app.get(RoomLog, { strict: false }).append(tx, ROOM, 'user.updated', { user });
}

const FAILURES: Record<string, (user: string) => WriteJob<void>> = {
  'throws immediately': () => () => {
    throw new Error('on purpose');
  },
  'throws after its writes': (user) => async (tx) => {
    await writeLikeCommand(tx, user);
    throw new Error('on purpose');
  },
  'fails with a protocol error after its writes': (user) => async (tx) => {
    await writeLikeCommand(tx, user);
    throw new ProtocolError('forbidden');
  },
  'violates a key': (user) => async (tx) => {
    await writeLikeCommand(tx, user);
    await writeLikeCommand(tx, user);
  },
  'runs invalid SQL': (user) => async (tx) => {
    await writeLikeCommand(tx, user);
    await tx.sql.run('SELEKT 1');
  },
};

test.each(Object.entries(FAILURES))(
  'a job that %s does not affect the other jobs of its transaction',
  async (_, makeJob) => {
    const before = await client.ok('message.history', { room: ROOM, limit: 1 });
    const held = await HeldWriter.hold(server);
    const failing: Promise<unknown>[] = [];
    const sent: string[] = [];
    commits.length = 0;
    for (let i = 0; i < PAIRS; i++) {
      sent.push(client.post('message.send', { room: ROOM, text: `n ${String(i)}` }));
      // Each command is queued before the failing job next to it.
      await held.untilQueued(2 * i + 1);
      failing.push(held.add(makeJob(`failed-${String(i)}`), [ROOM]));
    }
    const outcomes = Promise.allSettled(failing);
    held.release();
    const replies = await Promise.all(sent.map((id) => client.reply(id)));

    expect((await outcomes).map(({ status }) => status)).toEqual(failing.map(() => 'rejected'));
    expect(replies.filter(({ ok }) => !ok)).toEqual([]);
    expect(commits.flat()).toHaveLength(PAIRS);
    // All commands shared one transaction; on PostgreSQL, the time for locks limits that.
    if (process.env['TEST_DATABASE'] !== 'postgres') expect(commits).toHaveLength(1);
    const { seq } = await client.ok('message.history', { room: ROOM, limit: 1 });
    expect(seq).toBe(before.seq + PAIRS);
  },
);

test('the writes of failed jobs are rolled back, and the log has no gap', async () => {
  const { epoch, seq } = await client.ok('message.history', { room: ROOM, limit: 1 });
  const replay = await client.ok('room.sync', { room: ROOM, epoch, after: 0 });
  const events = 'complete' in replay && replay.complete ? replay.events : [];
  const seqs = events.map(({ data }) => data.seq);
  expect(seqs).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  expect(events.some(({ event }) => event === 'user.updated')).toBe(false);
  expect(client.logged(ROOM).map(({ data }) => data['seq'])).toEqual(seqs.slice(2));
  const users = await server.app
    .get(Writer)
    .run([], ({ sql }) => sql.all(`SELECT id FROM users WHERE id LIKE 'failed-%'`));
  expect(users).toEqual([]);
});
