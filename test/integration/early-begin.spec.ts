import type { WriteJob } from '#src/database/write-job.js';
import { Writer } from '#src/database/writer.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { HeldWriter } from '../support/held-writer.js';
import { countRoundTrips } from '../support/round-trips.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'busy';
/** Maximum number of jobs that share a transaction. */
const GROUP = 256;
/** Number of waiting jobs for which a group begins early. */
const ENOUGH = 64;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;
const nothing: WriteJob<void> = () => Promise.resolve();

/** Returns a job whose statement is sent together with the commit. */
function atCommit(statement: string): WriteJob<void> {
  return ({ locked }) => {
    locked?.insert(statement, {});
    return Promise.resolve();
  };
}

const insertNowhere = atCommit('INSERT INTO nowhere SELECT $1');
const endConnection = atCommit(
  'SELECT pg_terminate_backend(pg_backend_pid()) WHERE $1 <> CAST(now() AS text)',
);

onPostgres('a group that begins behind the commit of another', () => {
  let server: TestServer;
  let client: TestClient;
  let held: HeldWriter;

  beforeEach(async () => {
    // A long deadline for statements keeps the jobs of a test in one transaction.
    server = await startServer({ PARLANCE_DATABASE_STATEMENT_MS: '600000' });
    client = await connectClient('websocket', server.port, { name: 'ann' });
    await client.ok('room.join', { room: ROOM, create: true });
    held = await HeldWriter.hold(server);
  });

  afterEach(async () => {
    await client.close();
    await server.dispose();
  });

  function fill(count: number): Promise<unknown> {
    return Promise.all(Array.from({ length: count }, () => held.add(nothing)));
  }

  async function textsOfRoom(): Promise<string[]> {
    const { messages } = await client.ok('message.history', { room: ROOM });
    return messages.map(({ text }) => text);
  }

  test('costs one round trip', async () => {
    const filled = fill(3 * GROUP);
    const trips = countRoundTrips(server);
    held.release();
    await filled;
    // One more commits the job that held the writer.
    expect(trips.count).toBe(4);
  });

  test('begins again if that commit fails', async () => {
    const first = client.post('message.send', { room: ROOM, text: 'first' });
    await held.untilQueued(1);
    const failed = expect(held.add(insertNowhere)).rejects.toThrow('nowhere');
    const filled = fill(GROUP + ENOUGH);
    const second = client.post('message.send', { room: ROOM, text: 'second' });
    await held.untilQueued(GROUP + ENOUGH + 3);
    held.release();
    await Promise.all([failed, filled]);
    const replies = [await client.reply(first), await client.reply(second)];
    expect(replies).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await textsOfRoom()).toEqual(['first', 'second']);
  });

  test('is refused if the connection is lost at that commit', async () => {
    const first = client.post('message.send', { room: ROOM, text: 'first' });
    await held.untilQueued(1);
    const refused = expect(held.add(endConnection)).rejects.toThrow();
    const filled = expect(fill(GROUP + ENOUGH)).rejects.toThrow();
    const second = client.post('message.send', { room: ROOM, text: 'second' });
    await held.untilQueued(GROUP + ENOUGH + 3);
    held.release();
    await Promise.all([refused, filled]);
    for (const reply of [await client.reply(first), await client.reply(second)]) {
      expect(reply).toMatchObject({ error: { code: 'unavailable' } });
    }
    const writer = server.app.get(Writer);
    await eventually(() => !writer.isDisconnected(), 'a new connection');
    await client.ok('message.send', { room: ROOM, text: 'third' });
    expect(await textsOfRoom()).toEqual(['third']);
  });
});
