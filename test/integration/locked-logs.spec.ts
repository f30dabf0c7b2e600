import { Writer } from '#src/database/writer.js';
import { RoomLog } from '#src/store/room-log.js';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { SecondWriter, type OpenWrite } from '../support/second-writer.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'locked';
const OTHER = 'free';
/** Time that the writer waits for a statement; it waits for a lock for less than half of it. */
const STATEMENT_MS = 1_000;
const AN_HOUR = 3_600_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

let server: TestServer;
let client: TestClient;

beforeEach(async () => {
  server = await startServer({ PARLANCE_DATABASE_STATEMENT_MS: String(STATEMENT_MS) });
  client = await connectClient('websocket', server.port, { name: 'ann' });
  for (const room of [ROOM, OTHER]) await client.ok('room.join', { room, create: true });
});

afterEach(async () => {
  await client.close();
  await server.dispose();
});

function append(): Promise<unknown> {
  const user = client.welcome.user;
  const log = server.app.get(RoomLog, { strict: false });
  const event = (tx: Parameters<typeof log.append>[0]) =>
    log.append(tx, ROOM, 'user.updated', { user });
  return server.app.get(Writer).run([], event);
}

test('the times of a log do not run back with the clock', async () => {
  const ahead = Date.now() + AN_HOUR;
  await server.app
    .get(Writer)
    .run([], ({ sql }) => sql.run('UPDATE rooms SET head_at = $1 WHERE id = $2', ahead, ROOM));
  const { message } = await client.ok('message.send', { room: ROOM, text: 'later' });
  expect(message.at).toBe(ahead);
});

onPostgres('the locks of a group', () => {
  let second: SecondWriter;

  beforeEach(async () => {
    second = await SecondWriter.open(server);
  });

  afterEach(() => second.close());

  /** Locks a room in another process. */
  function lock(process = second): Promise<OpenWrite> {
    return process.begin(() => process.run([ROOM], () => Promise.resolve()));
  }

  test('a job cannot append to a log that it did not declare', async () => {
    await expect(append()).rejects.toThrow('did not declare');
  });

  test('a locked room keeps no message of another room from being stored', async () => {
    const open = await lock();
    const held = await HeldWriter.hold(server);
    const inRoom = client.post('message.send', { room: ROOM, text: 'waits' });
    await held.untilQueued(1);
    const inOther = client.post('message.send', { room: OTHER, text: 'goes on' });
    await held.untilQueued(2);
    held.release();
    expect(await client.reply(inRoom)).toMatchObject({ error: { code: 'unavailable' } });
    expect(await client.reply(inOther)).toMatchObject({ ok: true });
    await open.commit();
    await client.ok('message.send', { room: ROOM, text: 'again' });
    expect(client.events('bye')).toEqual([]);
  });

  test('a process that stops in a transaction does not keep its rooms', async () => {
    const stopped = await SecondWriter.open(server, STATEMENT_MS);
    const open = await lock(stopped);
    await client.ok('message.send', { room: ROOM, text: 'goes on' });
    await expect(open.commit()).rejects.toThrow();
    await stopped.close();
  });

  test('a room that was not created leaves no row', async () => {
    await client.expectError('dm.open', { user: 'nobody' }, 'not_found');
    const rows = await second.run([], ({ sql }) =>
      sql.all(`SELECT id FROM rooms WHERE head = 0 AND id LIKE '@dm-%'`),
    );
    expect(rows).toEqual([]);
  });
});
