import pg from 'pg';

import type { Message } from '#src/protocol/models.js';

import { ChaosProxy } from '../support/chaos-proxy.js';
import { ChildServer } from '../support/child-server.js';
import type { ReceivedEvent, TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'silence';
const TEST_MS = 60_000;
/** Statement timeout in these tests. */
const STATEMENT_MS = 1_000;
/** Maximum time until a command is answered: it may wait for two statements. */
const ANSWER_MS = 10 * STATEMENT_MS;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

/** Returns a test for the commit that follows a stored message. */
function nextCommit(): (sent: Buffer) => boolean {
  let isStored = false;
  return (sent) => {
    isStored ||= sent.includes('message.created');
    return isStored && sent.includes('COMMIT');
  };
}

function expectNoGap(seqs: readonly number[]): void {
  expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
}

onPostgres('PostgreSQL that does not answer', () => {
  let database: Record<string, string>;
  let proxy: ChaosProxy;
  let server: ChildServer;
  let ann: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    database = await freshDatabase();
    const url = new URL(database['DATABASE_URL'] ?? '');
    proxy = await ChaosProxy.start({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    server = await ChildServer.start({
      ...database,
      DATABASE_URL: url.href,
      PARLANCE_DATABASE_STATEMENT_MS: String(STATEMENT_MS),
    });
  }, TEST_MS);

  beforeEach(async () => {
    [ann, bob] = [await join('ann'), await join('bob')];
  });

  afterEach(async () => {
    proxy.resume();
    await Promise.all([ann.close(), bob.close()]);
  });

  afterAll(async () => {
    await ChildServer.killAll();
    await proxy.close();
    await dropDatabase(database);
  });

  async function join(name: string, hello: object = {}): Promise<TestClient> {
    const client = await connectClient('websocket', server.port, { name, ...hello });
    await client.ok('room.join', { room: ROOM, create: true });
    return client;
  }

  const ready = async () => (await fetch(`${server.url}/readyz`)).status;

  /** Sends commands that fail in time; the second of each kind fails immediately. */
  async function expectUnavailable(text: string): Promise<void> {
    const send = { room: ROOM, text, cid: text };
    const begun = performance.now();
    const replies = await Promise.all([
      ann.call('message.send', send),
      bob.call('message.history', { room: ROOM }),
      bob.call('room.join', { room: 'another', create: true }),
    ]);
    expect(await ready()).toBe(503);
    replies.push(await ann.call('message.send', send), await bob.call('room.list', {}));
    for (const reply of replies) {
      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    }
    expect(performance.now() - begun).toBeLessThan(ANSWER_MS);
  }

  /** Waits until the database is back, and sends the refused message again. */
  async function expectBack(text: string): Promise<void> {
    await eventually(async () => (await ready()) === 200, 'the database to be back');
    await ann.ok('message.send', { room: ROOM, text, cid: text });
    const isText = ({ data }: ReceivedEvent) => (data['message'] as Message).text === text;
    await bob.until(() => bob.events('message.created').some(isText), text);
    const { messages } = await bob.ok('message.history', { room: ROOM });
    expect(messages.filter((message) => message.text === text)).toHaveLength(1);
    for (const client of [ann, bob]) {
      expect(client.events('bye')).toEqual([]);
      expectNoGap(client.logged(ROOM).map(({ data }) => data['seq'] as number));
    }
  }

  test('on black-holed connections: commands fail in time, and new connections work', async () => {
    proxy.blackHole();
    const sent = await ann.call('message.send', { room: ROOM, text: 'hole', cid: 'hole' });
    expect(sent).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    await expectBack('hole');
  });

  test('at all: no write, read or join hangs, and /readyz reports it', async () => {
    proxy.stall();
    await expectUnavailable('silence');
    proxy.resume();
    await expectBack('silence');
  });

  test('at all: guests can connect, with names checked against those in memory', async () => {
    proxy.stall();
    const begun = performance.now();
    const names = ['cat', 'dan', 'eve', 'fay', 'gil', 'hal', 'ida', 'joe', 'kim', 'lea', 'moe'];
    const guests = await Promise.all(
      names.map((name) => connectClient('websocket', server.port, { name })),
    );
    expect(performance.now() - begun).toBeLessThan(ANSWER_MS);
    expect(guests.map(({ welcome }) => welcome.user.name)).toEqual(names);
    await Promise.all(guests.map((guest) => guest.close()));
    await ann.expectError('message.history', { room: ROOM }, 'unavailable');
    proxy.resume();
    await expectBack('guests in silence');
  });

  test('while no commands arrive: /readyz reports it', async () => {
    proxy.stall();
    await eventually(async () => (await ready()) === 503, 'the silence to be noticed');
    proxy.resume();
    await expectBack('after silence');
  });

  test('a commit that succeeded nevertheless: the message is stored once', async () => {
    proxy.stallAfter(nextCommit());
    const message = { room: ROOM, text: 'doubt', cid: 'doubt' };
    const sent = await ann.call('message.send', message);
    expect(sent).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    proxy.resume();
    const created = await bob.event('message.created', ({ message: { text } }) => text === 'doubt');
    expect(await ann.ok('message.send', message)).toEqual({
      message: created.message,
      duplicate: true,
    });
    await expectBack('doubt');
  });

  test('any commit, as without its synchronous standby: /readyz answers 503 until one succeeds', async () => {
    proxy.stallReplies((sent) => sent.includes('COMMIT') || sent.includes('emit_message'));
    const sent = await ann.call('message.send', { room: ROOM, text: 'standby', cid: 'standby' });
    expect(sent).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    const tries = () => server.stdout.split('cannot be used yet').length;
    const before = tries();
    await eventually(() => tries() > before, 'a connection whose commits hang to be refused');
    expect(await ready()).toBe(503);
    proxy.resume();
    await expectBack('standby');
  });

  test.each(['messages', 'room_events', 'members'])(
    'because another session has locked the table %s: commands fail in time, and succeed later',
    async (table) => {
      const other = new pg.Client(database['DATABASE_URL']);
      await other.connect();
      const { PARLANCE_DATABASE_SCHEMA: schema = '' } = database;
      await other.query(`BEGIN; LOCK TABLE "${schema}".${table} IN ACCESS EXCLUSIVE MODE`);
      const text = `locked ${table}`;
      const sent = await ann.call('message.send', { room: ROOM, text, cid: text });
      expect(sent).toMatchObject({ ok: false, error: { code: 'unavailable' } });
      await eventually(async () => (await ready()) === 503, 'the lock to be told');
      await other.end();
      await expectBack(text);
    },
  );

  test('because another session has locked a row: connections stay open', async () => {
    const other = new pg.Client(database['DATABASE_URL']);
    await other.connect();
    const { PARLANCE_DATABASE_SCHEMA: schema = '' } = database;
    await other.query(`BEGIN; SELECT 1 FROM "${schema}".rooms WHERE id = '${ROOM}' FOR UPDATE`);
    const message = { room: ROOM, text: 'row', cid: 'row' };
    const sent = await ann.call('message.send', message);
    expect(sent).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    await bob.ok('room.join', { room: 'elsewhere', create: true });
    await other.end();
    expect((await ann.ok('message.send', message)).duplicate).toBe(false);
    expect(ann.events('bye')).toEqual([]);
  });

  test('during a stop: the stop does not wait', async () => {
    proxy.stall();
    const sent = ann.post('message.send', { room: ROOM, text: 'last' });
    const exit = server.kill('SIGTERM');
    expect(await ann.reply(sent)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(await ann.event('bye')).toMatchObject({ code: 4201 });
    expect(await exit).toEqual({ code: 0, signal: null });
  });
});
