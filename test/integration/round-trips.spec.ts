import type { PoolClient } from 'pg';

import { Writer } from '#src/database/writer.js';

import { HeldWriter } from '../support/held-writer.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOMS = ['one', 'two', 'three'];
const MESSAGES = 30;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

/** The writer with its connection, which is private: only tests count its statements. */
interface WithClient {
  readonly connection: { readonly current: { readonly client: PoolClient } };
}

/** Counts how often the writer sends statements while it waits for no answer. */
function countRoundTrips(server: TestServer): { count: number } {
  const writer = server.app.get<Writer, WithClient>(Writer);
  const { client } = writer.connection.current;
  const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
  const trips = { count: 0 };
  let waiting = 0;
  client.query = ((...given: unknown[]) => {
    if (waiting++ === 0) trips.count++;
    return query(...given).finally(() => waiting--);
  }) as typeof client.query;
  return trips;
}

onPostgres('the writer on PostgreSQL', () => {
  test('stores a group of plain messages in two round trips', async () => {
    const server = await startServer();
    const ann = await connectClient('websocket', server.port, { name: 'ann' });
    for (const room of ROOMS) await ann.ok('room.join', { room, create: true });
    const held = await HeldWriter.hold(server);
    const sent: string[] = [];
    for (let nth = 0; nth < MESSAGES; nth++) {
      const room = ROOMS[nth % ROOMS.length];
      sent.push(ann.post('message.send', { room, text: String(nth), cid: String(nth) }));
    }
    await held.untilQueued(MESSAGES);
    const trips = countRoundTrips(server);
    held.release();
    const replies = await Promise.all(sent.map((id) => ann.reply(id)));

    expect(replies.filter(({ ok }) => !ok)).toEqual([]);
    // One more commits the job that held the writer.
    expect(trips.count).toBe(3);
    await ann.close();
    await server.dispose();
  });
});
