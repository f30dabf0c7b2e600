import { join } from 'node:path';

import { Sqlite } from '#src/database/sqlite.js';

import type { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'busy';

// Another process holds the lock of a SQLite file; PostgreSQL has no such lock.
const onSqlite = process.env['TEST_DATABASE'] === 'postgres' ? describe.skip : describe;

onSqlite('another process holds the write lock of SQLite (BEGIN IMMEDIATE)', () => {
  let server: TestServer;
  let ann: TestClient;
  let bob: TestClient;
  let other: InstanceType<typeof Sqlite>;

  afterEach(async () => {
    other.close();
    await Promise.all([ann.close(), bob.close()]);
    await server.dispose();
  });

  /** Starts a server, then locks its database. */
  async function startLocked(env: Record<string, string>): Promise<void> {
    server = await startServer(env);
    ann = await connectClient('websocket', server.port, { name: 'ann' });
    bob = await connectClient('websocket', server.port, { name: 'bob' });
    for (const client of [ann, bob]) await client.ok('room.join', { room: ROOM, create: true });
    // A separate connection locks like a separate process.
    other = new Sqlite(join(server.env['PARLANCE_DATA_DIR'] ?? '', 'parlance.db'));
    other.exec('BEGIN IMMEDIATE');
  }

  test('only writers wait: a ping, a read and /healthz are answered meanwhile', async () => {
    await startLocked({});
    const sent = ann.post('message.send', { room: ROOM, text: 'waits' });
    await bob.ok('session.ping', {});
    await bob.ok('message.history', { room: ROOM });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    other.exec('COMMIT');
    expect(await ann.reply(sent)).toMatchObject({ ok: true });
  });

  test('a write fails with `unavailable` after the lock timeout, and succeeds later', async () => {
    await startLocked({ PARLANCE_DATABASE_STATEMENT_MS: '200' });
    const message = { room: ROOM, text: 'refused', cid: 'refused' };
    const reply = await ann.call('message.send', message);
    expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    other.exec('COMMIT');
    expect((await ann.ok('message.send', message)).duplicate).toBe(false);
    expect(bob.events('bye')).toEqual([]);
  });
});
