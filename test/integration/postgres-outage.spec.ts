import pg from 'pg';

import { ChaosProxy } from '../support/chaos-proxy.js';
import { ChildServer } from '../support/child-server.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { connectClient, openWire } from '../support/wire-transports.js';

const ROOM = 'outage';
const TEST_MS = 60_000;
const TRYING_AGAIN = 'trying again';
/** More than the connections in the pool of the writer. */
const REFUSALS = 6;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

async function readyStatus({ url }: ChildServer): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

async function join(server: ChildServer, hello: object): Promise<TestClient> {
  const client = await connectClient('websocket', server.port, { ...hello });
  await client.ok('room.join', { room: ROOM, create: true });
  return client;
}

/** Returns a test for the commit that follows a stored event. */
function nextCommit(): (sent: Buffer) => boolean {
  let isStored = false;
  return (sent) => {
    isStored ||= sent.includes('message.created');
    return isStored && sent.includes('COMMIT');
  };
}

async function refused(client: TestClient, text: string): Promise<void> {
  const reply = await client.call('message.send', { room: ROOM, text, cid: text });
  expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
}

onPostgres('without PostgreSQL', () => {
  let database: Record<string, string>;
  let proxy: ChaosProxy;
  let server: ChildServer;

  beforeEach(async () => {
    database = await freshDatabase();
    const url = new URL(database['DATABASE_URL'] ?? '');
    proxy = await ChaosProxy.start({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    const env = { ...database, DATABASE_URL: url.href };
    server = await ChildServer.start(env);
  }, TEST_MS);

  afterEach(async () => {
    await ChildServer.killAll();
    await proxy.close();
    await dropDatabase(database);
  });

  /** Runs `body` with a separate database connection that stays open until `body` ends. */
  async function aside(body: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client(database['DATABASE_URL']);
    await client.connect();
    try {
      await body(client);
    } finally {
      await client.end();
    }
  }

  test(
    'answers every command, and keeps all connections until PostgreSQL is back',
    async () => {
      const ann = await join(server, { name: 'ann' });
      const sam = await connectClient('socket.io websocket', server.port, { name: 'sam' });
      const { epoch, seq } = await sam.ok('room.join', { room: ROOM });
      await ann.ok('message.send', { room: ROOM, text: 'before', cid: 'before' });
      await sam.event('message.created');

      proxy.cut();
      await refused(ann, 'during');
      await refused(ann, 'at once');
      const status = await readyStatus(server);
      const late = await TestClient.connect((listener) =>
        openWire('websocket', server.port, listener),
      );
      const greeting = await late.call('hello', { protocol: 1, token: ann.welcome.token });
      const lateBye = await late.event('bye');
      const guest = await connectClient('websocket', server.port, { name: 'eve' });
      proxy.repair();
      await eventually(async () => (await readyStatus(server)) === 200, 'PostgreSQL to be back');

      const during = await ann.ok('message.send', { room: ROOM, text: 'during', cid: 'during' });
      await sam.event('message.created', ({ message }) => message.text === 'during');
      const resumed = await connectClient('websocket', server.port, {
        token: sam.welcome.token,
        resume: { [ROOM]: { epoch, seq } },
      });
      await resumed.event('message.created', ({ message }) => message.text === 'during');

      expect(status).toBe(503);
      expect(greeting).toMatchObject({ ok: false, error: { code: 'unavailable' } });
      expect(lateBye).toMatchObject({ code: 4103, reconnect: true });
      expect(lateBye.delayMs).toEqual(expect.any(Number));
      expect(guest.welcome.user.name).toBe('eve');
      for (const client of [ann, sam, guest]) expect(client.events('bye')).toEqual([]);
      expect(during.duplicate).toBe(false);
      const { messages } = await ann.ok('message.history', { room: ROOM });
      expect(messages.map(({ text }) => text)).toEqual(['before', 'during']);
    },
    TEST_MS,
  );

  test(
    'retries until it gets its lock, however often it is refused',
    async () => {
      const ann = await join(server, { name: 'ann' });
      proxy.cut();
      await refused(ann, 'lost');
      await aside(async (other) => {
        await other.query(
          `SELECT pg_advisory_lock(hashtext('parlance'), hashtext(current_database() || $1))`,
          [database['PARLANCE_DATABASE_SCHEMA']],
        );
        proxy.repair();
        const attempts = () => server.stdout.split(TRYING_AGAIN).length - 1;
        const before = attempts();
        await eventually(() => attempts() >= before + REFUSALS, 'more attempts');
        expect(await readyStatus(server)).toBe(503);
      });
      await eventually(async () => (await readyStatus(server)) === 200, 'the lock to be taken');
      await ann.ok('message.send', { room: ROOM, text: 'on' });
      expect(ann.events('bye')).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'lets no commit of a lost connection take effect once it has a new connection',
    async () => {
      const ann = await join(server, { name: 'ann' });
      const caught = proxy.holdNext(nextCommit());
      const sent = ann.post('message.send', { room: ROOM, text: 'late', cid: 'late' });
      const held = await caught;
      const reply = await ann.reply(sent);
      await eventually(async () => (await readyStatus(server)) === 200, 'a new connection');
      held.release();
      const again = await ann.ok('message.send', { room: ROOM, text: 'late', cid: 'late' });
      const { messages, seq } = await ann.ok('message.history', { room: ROOM });

      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable' } });
      expect(again.duplicate).toBe(false);
      expect(messages).toEqual([again.message]);
      expect(again.message.seq).toBe(seq);
    },
    TEST_MS,
  );

  test(
    'stops cleanly',
    async () => {
      const ann = await join(server, { name: 'ann' });
      proxy.cut();
      await refused(ann, 'lost');
      const exit = server.kill('SIGTERM');
      expect(await ann.event('bye')).toMatchObject({ code: 4201, reconnect: true });
      expect(await exit).toEqual({ code: 0, signal: null });
    },
    TEST_MS,
  );
});
