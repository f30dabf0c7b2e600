import { OpenConnections } from '#src/chat/open-connections.js';
import { Reader } from '#src/database/reader.js';
import type { Replay } from '#src/protocol/pages.js';
import type { Position } from '#src/protocol/models.js';
import { LogFeed } from '#src/store/log-feed.js';

import { readCut, readHistory } from '../conformance/reading.js';
import { say, sendMany } from '../conformance/meeting.js';
import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { HeldReader } from '../support/held-reader.js';
import { NodePair } from '../support/node-pair.js';
import { PostgresAdmin } from '../support/postgres-admin.js';
import { dropDatabase, freshDatabase, startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'shared';
const TEST_MS = 60_000;
/** More than one page of a log. */
const MANY = 600;
const CLIENTS = 12;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

const textsOf = (client: TestClient) =>
  client.events('message.created').map(({ data }) => (data['message'] as { text: string }).text);

function connect(server: TestServer, hello: object): Promise<TestClient> {
  return connectClient('websocket', server.port, { ...hello });
}

function again(server: TestServer, { welcome }: TestClient, hello = {}): Promise<TestClient> {
  return connect(server, { token: welcome.token, ...hello });
}

/** Syncs from a position. */
async function replay(client: TestClient, { epoch, seq }: Position): Promise<Replay> {
  return (await client.ok('room.sync', { room: ROOM, epoch, after: seq })) as Replay;
}

onPostgres('two servers that share a database', () => {
  let nodes: NodePair;
  let ann: TestClient;
  let bob: TestClient;
  let start: Position;

  beforeEach(async () => {
    nodes = await NodePair.start();
    ann = await connect(nodes.one, { name: 'ann' });
    bob = await connect(nodes.two, { name: 'bob' });
    await ann.ok('room.join', { room: ROOM, create: true });
    const { epoch, seq } = await bob.ok('room.join', { room: ROOM });
    start = { epoch, seq };
  }, TEST_MS);

  afterEach(async () => {
    await nodes.dispose();
  }, TEST_MS);

  /** Waits until a client has events of the room up to a position, and checks that it has each once. */
  async function expectEach(client: TestClient, after: number, upTo: number): Promise<void> {
    const seqs = () => client.logged(ROOM).map(({ data }) => data['seq'] as number);
    await client.until(() => (seqs().at(-1) ?? 0) >= upTo, `event ${String(upTo)}`);
    await client.roundTrip();
    expect(seqs()).toEqual(Array.from({ length: upTo - after }, (_, index) => after + 1 + index));
  }

  test('deliver what the other one commits', async () => {
    await say(ann, ROOM, 'from one');
    const { seq } = await say(bob, ROOM, 'from two');
    await expectEach(bob, start.seq, seq);
    await ann.event('message.created', ({ message }) => message.text === 'from two');
    expect(textsOf(ann)).toEqual(['from one', 'from two']);
  });

  test('deliver each event once and in order, whatever the bus does', async () => {
    const frames = nodes.withhold();
    for (const text of ['1', '2', '3', '4', '5']) await say(ann, ROOM, text);
    nodes.deliver(...frames.toReversed(), ...frames);
    await expectEach(bob, start.seq, start.seq + 5);
    nodes.deliver(...frames);
    const { seq } = await say(bob, ROOM, '6');
    await expectEach(bob, start.seq, seq);
    expect(textsOf(bob)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('fill a hole at once, also one before an own commit', async () => {
    const frames = nodes.withhold();
    await say(ann, ROOM, 'lost');
    await say(ann, ROOM, 'found');
    nodes.deliver(...frames.slice(-1));
    await expectEach(bob, start.seq, start.seq + 2);
    await say(ann, ROOM, 'lost too');
    const { seq } = await say(bob, ROOM, 'own');
    await expectEach(bob, start.seq, seq);
    expect(textsOf(bob)).toEqual(['lost', 'found', 'lost too', 'own']);
  });

  test('read what they only know the head of', async () => {
    nodes.withhold();
    const { seq } = await say(ann, ROOM, 'unheard');
    nodes.two.app.get(LogFeed).heardHead(ROOM, { epoch: start.epoch, seq });
    await expectEach(bob, start.seq, seq);
  });

  test('fill large holes, with edits, reactions and renames', async () => {
    nodes.withhold();
    await sendMany(ann, ROOM, MANY);
    const message = await say(ann, ROOM, 'draft');
    await ann.ok('message.edit', { room: ROOM, message: message.id, text: 'final' });
    await ann.ok('message.react', { room: ROOM, message: message.id, emoji: '👍' });
    await ann.ok('user.update', { name: 'anna' });
    const { seq } = await readCut(ann, ROOM);
    nodes.two.app.get(LogFeed).heardHead(ROOM, { epoch: start.epoch, seq });
    await expectEach(bob, start.seq, seq);
    const [there, here] = [await readCut(ann, ROOM), await readCut(bob, ROOM)];
    expect({ ...here, you: there.you, presence: there.presence }).toEqual(there);
  });

  test('show what was committed before a join, sync, resume or history, without the bus', async () => {
    nodes.withhold();
    const { seq } = await say(ann, ROOM, 'first');
    const cut = await readCut(bob, ROOM);
    await say(ann, ROOM, 'second');
    const cat = await connect(nodes.two, { name: 'cat' });
    const joined = await cat.ok('room.join', { room: ROOM });
    await say(ann, ROOM, 'third');
    const page = await replay(bob, start);
    await say(ann, ROOM, 'fourth');
    const back = await again(nodes.two, bob, { resume: { [ROOM]: start } });
    await back.event('message.created', ({ message }) => message.text === 'fourth');
    await say(ann, ROOM, 'fifth');
    const history = await readHistory(bob, ROOM);

    expect(cut.seq).toBe(seq);
    expect(joined.messages.map(({ text }) => text)).toEqual(['first', 'second']);
    expect(page.complete && page.events.map(({ event }) => event)).toEqual([
      ...['message.created', 'message.created', 'member.joined', 'message.created'],
    ]);
    expect(textsOf(back).slice(0, 4)).toEqual(['first', 'second', 'third', 'fourth']);
    expect(history.map(({ text }) => text)).toHaveLength(5);
    await expectEach(bob, start.seq, start.seq + 5);
  });

  test('do not say `ahead` to a client that comes from a faster server', async () => {
    nodes.withhold();
    const { seq } = await say(ann, ROOM, 'ahead');
    const position = { epoch: start.epoch, seq };
    const resumed = await again(nodes.two, ann, { resume: { [ROOM]: position } });
    await say(ann, ROOM, 'further');
    const synced = await replay(bob, { epoch: start.epoch, seq: seq + 1 });
    const refused = await replay(bob, { epoch: start.epoch, seq: seq + 2 });

    expect(resumed.welcome.resumed).toEqual({ [ROOM]: { complete: true, seq } });
    expect(synced).toMatchObject({ complete: true, events: [], seq: seq + 1 });
    expect(refused).toMatchObject({ complete: false, reason: 'ahead', seq: seq + 1 });
  });

  test('ask for the heads of commands that wait by one query', async () => {
    const clients = [bob];
    while (clients.length < CLIENTS) clients.push(await connect(nodes.two, {}));
    for (const [index, client] of clients.entries()) {
      await client.ok('room.join', { room: `room-${String(index)}`, create: true });
    }
    const reader = nodes.two.app.get(Reader);
    const held = HeldReader.hold(nodes.two);
    const separately = reader.separately.bind(reader);
    let reads = 0;
    reader.separately = (queries) => {
      reads++;
      return separately(queries);
    };
    const ids = clients.map((client, index) =>
      client.post('room.sync', { room: `room-${String(index)}` }),
    );
    await eventually(() => reads === 1, 'the first query');
    const open = nodes.two.app.get(OpenConnections);
    const waiting = () => [...open.all()].filter((one) => open.intakeOf(one)?.inFlight === 1);
    await eventually(() => waiting().length === CLIENTS, 'all commands to wait');
    await held.release();
    for (const [index, client] of clients.entries()) {
      expect(await client.reply(ids[index])).toMatchObject({ ok: true });
    }
    expect(reads).toBe(2);
  });

  describe('after a member has left over the other one', () => {
    let bobThere: TestClient;

    beforeEach(async () => {
      bobThere = await again(nodes.one, bob);
      await sendMany(ann, ROOM, MANY);
      await expectEach(bob, start.seq, start.seq + MANY);
      nodes.withhold();
    }, TEST_MS);

    test('refuse every read and write', async () => {
      await bobThere.ok('room.leave', { room: ROOM });
      await say(ann, ROOM, 'secret');
      for (const [cmd, data] of [
        ['room.sync', {}],
        ['room.sync', { epoch: start.epoch, after: start.seq + MANY }],
        ['message.history', {}],
        ['room.members', {}],
        ['typing.set', { active: true }],
        ['message.send', { text: 'late' }],
      ] as const) {
        await bob.expectError(cmd, { room: ROOM, ...data }, 'not_member');
      }
      const back = await again(nodes.two, bob, { resume: { [ROOM]: start } });
      expect(back.welcome.resumed).toEqual({ [ROOM]: { complete: false, reason: 'not_found' } });
      expect(bob.logged(ROOM).at(-1)?.event).toBe('member.left');
    });

    test('stop between two pages of a sync', async () => {
      const reader = await again(nodes.two, bob);
      const page = await replay(reader, start);
      await bobThere.ok('room.leave', { room: ROOM });
      await say(ann, ROOM, 'secret');
      const { epoch } = start;
      const rest = { room: ROOM, epoch, after: page.seq };
      await reader.expectError('room.sync', rest, 'not_member');

      expect(page.complete && page.hasMore).toBe(true);
      await reader.roundTrip();
      expect(reader.logged(ROOM)).toEqual([]);
    });

    test('check the membership in the snapshot of each page', async () => {
      const reader = await again(nodes.two, bob);
      const database = nodes.two.app.get(Reader);
      const snapshot = database.snapshot.bind(database);
      const gate = new Gate();
      // After the head was confirmed, so that memory has bob as a member.
      database.snapshot = async (queries) => {
        await gate.pass();
        return snapshot(queries);
      };
      const id = reader.post('room.sync', { room: ROOM, epoch: start.epoch, after: start.seq });
      await gate.reached;
      await bobThere.ok('room.leave', { room: ROOM });
      await say(ann, ROOM, 'secret');
      gate.release();

      expect(await reader.reply(id)).toMatchObject({ ok: false, error: { code: 'not_member' } });
    });

    test('deliver nothing that came later, even if the bus lost that they left', async () => {
      const frames = nodes.withhold();
      await bobThere.ok('room.leave', { room: ROOM });
      await say(ann, ROOM, 'secret');
      nodes.deliver(...frames.slice(-1));
      await bob.event('member.left');
      await bob.roundTrip();

      expect(bob.logged(ROOM).at(-1)?.event).toBe('member.left');
      expect(textsOf(bob)).not.toContain('secret');
    });
  });

  test('keep the own logs of users', async () => {
    const frames = nodes.withhold();
    const me = bob.welcome.user.id;
    await ann.ok('dm.open', { user: me });
    const back = await again(nodes.two, bob);
    const { epoch } = back.welcome.me;
    const synced = await bob.ok('room.sync', { room: '@me', epoch, after: 0 });
    await bob.event('dm.opened');
    nodes.deliver(...frames, ...frames);
    await again(nodes.one, bob).then((there) => there.ok('user.update', { name: 'robert' }));
    nodes.deliver(...frames.slice(-1));
    await bob.event('user.updated');
    await back.event('user.updated');
    await bob.roundTrip();

    expect(synced).toMatchObject({ complete: true, seq: 1, events: [{ event: 'dm.opened' }] });
    expect(back.welcome.me.seq).toBe(1);
    const own = (client: TestClient) => client.logged('@me').map(({ data }) => data['seq']);
    expect({ bob: own(bob), back: own(back) }).toEqual({ bob: [1, 2], back: [2] });
  });

  test('read what they missed when their connections to PostgreSQL were lost', async () => {
    nodes.withhold();
    const { seq } = await say(ann, ROOM, 'missed');
    const admin = await PostgresAdmin.connect(nodes.one);
    await admin.terminateWriter();
    await admin.end();
    await bob.call('message.send', { room: ROOM, text: 'notices the loss' });
    await bob.event('message.created', ({ message }) => message.text === 'missed');
    await ann.roundTrip();

    expect(bob.logged(ROOM)[0]?.data['seq']).toBe(seq);
    for (const client of [ann, bob]) expect(client.events('bye')).toEqual([]);
  });

  test('refuse a server that does not share it', async () => {
    await expect(startServer(nodes.one.env)).rejects.toThrow('Another Parlance uses the database');
  });
});

onPostgres('a database for several servers', () => {
  const keys = { PARLANCE_TOKEN_KEYS: `one:${'k'.repeat(64)}` };
  let env: Record<string, string>;

  beforeEach(async () => {
    env = { ...(await freshDatabase()), ...keys };
  });

  afterEach(async () => {
    await dropDatabase(env);
  });

  test(
    'is migrated once if they start at the same time',
    async () => {
      const starts = [1, 2, 3].map(() => startServer(env, { isDatabaseShared: true }));
      const servers = await Promise.all(starts);
      const clients = await Promise.all(servers.map((server) => connect(server, {})));
      for (const client of clients) await client.ok('room.join', { room: ROOM, create: true });
      const cut = await readCut(clients[0] as TestClient, ROOM);
      for (const server of servers) await server.stop();

      expect(cut.memberCount).toBe(servers.length);
    },
    TEST_MS,
  );

  test(
    'is not shared with a server that is alone',
    async () => {
      const alone = await startServer(env);
      const second = startServer(env, { isDatabaseShared: true });
      await expect(second).rejects.toThrow('Another Parlance uses the database');
      await alone.stop();
    },
    TEST_MS,
  );
});
