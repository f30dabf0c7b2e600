import { HeldWriter } from '../support/held-writer.js';
import { countRoundTrips } from '../support/round-trips.js';
import { startServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOMS = ['one', 'two', 'three'];
const MESSAGES = 30;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

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
