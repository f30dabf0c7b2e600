import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { loseTransaction } from '../support/lose-transaction.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'lost';
const ROOMS_PER_HOUR = 2;
/** Maximum number of jobs that share a transaction. */
const GROUP = 256;

let server: TestServer;
let client: TestClient;

beforeEach(async () => {
  server = await startServer({
    PARLANCE_LIMIT_ROOMS_PER_HOUR: String(ROOMS_PER_HOUR),
    // A long deadline for statements keeps the jobs of a test in one transaction.
    PARLANCE_DATABASE_STATEMENT_MS: '600000',
  });
  client = await connectClient('websocket', server.port, { name: 'before' });
});

afterEach(async () => {
  await client.close();
  await server.dispose();
});

test('a room whose creation failed does not count towards the rate limit', async () => {
  for (let nth = 0; nth < ROOMS_PER_HOUR; nth++) {
    const held = await HeldWriter.hold(server);
    const id = client.post('room.create', { room: ROOM });
    await held.untilQueued(1);
    const failed = expect(held.add(loseTransaction)).rejects.toThrow();
    held.release();
    await failed;
    expect(await client.reply(id)).toMatchObject({ error: { code: 'unavailable' } });
  }
  await client.ok('room.create', { room: ROOM });
});

test.each([
  ['that shares its transaction with another', 0, 'before'],
  ['that follows another in the next transaction', GROUP - 1, 'first'],
])('a name change %s is undone', async (_, between, name) => {
  await client.ok('room.join', { room: ROOM, create: true });
  const held = await HeldWriter.hold(server);
  const first = client.post('user.update', { name: 'first' });
  await held.untilQueued(1);
  const others = Array.from({ length: between }, () => held.add(() => Promise.resolve()));
  const second = client.post('user.update', { name: 'second' });
  await held.untilQueued(between + 2);
  const failed = expect(held.add(loseTransaction)).rejects.toThrow();
  held.release();
  await Promise.all([failed, ...others]);
  expect((await client.reply(first)).ok).toBe(name === 'first');
  expect(await client.reply(second)).toMatchObject({ error: { code: 'unavailable' } });

  const { message } = await client.ok('message.send', { room: ROOM, text: 'Who am I?' });
  expect(message.sender.name).toBe(name);
  const { user } = await client.ok('user.get', { user: message.sender.id });
  expect(user.name).toBe(name);
});
