import { readCut } from '../conformance/reading.js';
import { say } from '../conformance/meeting.js';
import { ChaosProxy } from '../support/chaos-proxy.js';
import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { BUS_SERVICES, busAddress } from '../support/bus-services.js';
import { busService, TestCluster } from '../support/test-cluster.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'shared';
const TEST_MS = 60_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres';

function connect({ port }: TestServer, hello: object): Promise<TestClient> {
  return connectClient('websocket', port, { ...hello });
}

const nats = busService('nats');
const isAway = (state: unknown): boolean => (state as { bus: string }).bus === 'away';
const hasText = (text: string) => (data: Record<string, unknown>) =>
  (data['message'] as { text: string }).text === text;

describe.each(BUS_SERVICES)('servers that share a bus over $title', (service) => {
  const onService = onPostgres && service.isRun ? test : test.skip;
  let target: Awaited<ReturnType<typeof service.open>>;
  let proxy: ChaosProxy;
  let cluster: TestCluster;
  let ann: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    if (!onPostgres || !service.isRun) return;
    target = await service.open();
    proxy = await ChaosProxy.start(target);
    const { url } = busAddress(service, { host: '127.0.0.1', port: proxy.port });
    cluster = await TestCluster.start(2, url);
  }, TEST_MS);

  afterAll(async () => {
    if (!onPostgres || !service.isRun) return;
    await cluster.dispose();
    await proxy.close();
    await target.program?.dispose();
  }, TEST_MS);

  beforeEach(async () => {
    if (!onPostgres || !service.isRun) return;
    ann = await connect(cluster.node(0), { name: 'ann' });
    bob = await connect(cluster.node(1), { name: 'bob' });
    await ann.ok('room.join', { room: ROOM, create: true });
    await bob.ok('room.join', { room: ROOM });
  });

  afterEach(async () => {
    if (!onPostgres || !service.isRun) return;
    await ann.close();
    await bob.close();
  });

  onService('deliver events of rooms, own logs and typing to each other', async () => {
    const { id } = await say(ann, ROOM, 'over the bus');
    await bob.event('message.created', hasText('over the bus'));
    await ann.ok('message.react', { room: ROOM, message: id, emoji: '👍' });
    await bob.event('reaction.added');
    await ann.ok('dm.open', { user: bob.welcome.user.id });
    await bob.event('dm.opened');
    await ann.ok('typing.set', { room: ROOM, active: true });
    const { started } = await bob.event('typing');
    expect(started).toEqual([ann.welcome.user]);

    const { messages } = await readCut(bob, ROOM);
    expect(messages).toMatchObject([{ id, reactions: [{ emoji: '👍', users: [{}] }] }]);
  });

  onService('deliver edits and deletions with the text of the message', async () => {
    const { id } = await say(ann, ROOM, 'draft');
    await ann.ok('message.edit', { room: ROOM, message: id, text: 'final' });
    await bob.event('message.edited');
    const gone = await say(ann, ROOM, 'gone');
    await ann.ok('message.delete', { room: ROOM, message: gone.id });
    await bob.event('message.deleted');

    const cut = await readCut(ann, ROOM);
    expect((await readCut(bob, ROOM)).messages).toEqual(cut.messages);
  });
});

(onPostgres ? describe : describe.skip)('a server of a cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start(1, 'postgres:');
  }, TEST_MS);

  afterAll(() => cluster.dispose());

  test('refuses to start beside one with other limits, and names them', async () => {
    const other = { ...cluster.env, PARLANCE_LIMIT_TEXT_CHARS: '100' };
    await expect(startServer(other)).rejects.toThrow(
      'Another server on the database runs with different settings. Where: limit textChars.',
    );
  });

  test('refuses to start beside one with other token keys', async () => {
    const other = { ...cluster.env, PARLANCE_TOKEN_KEYS: `k1:${'k'.repeat(64)}` };
    await expect(startServer(other)).rejects.toThrow('Where: PARLANCE_TOKEN_KEYS.');
  });

  test('changes settings when no other one runs', async () => {
    const first = await TestCluster.start(1, 'postgres:');
    await first.node(0).stop();
    const second = await startServer({ ...first.env, PARLANCE_LIMIT_TEXT_CHARS: '100' });
    const client = await connect(second, { name: 'ann' });
    expect(client.welcome.limits.textChars).toBe(100);
    await second.stop();
    await first.dispose();
  });
});

(onPostgres ? describe : describe.skip)('a server without database and bus', () => {
  test(
    'sends its clients to other servers after 10 s, and serves them again later',
    async () => {
      const { hostname: host, port } = new URL(process.env['TEST_DATABASE_URL'] ?? '');
      const proxy = await ChaosProxy.start({ host, port: Number(port) || 5432 });
      const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
      url.host = `127.0.0.1:${String(proxy.port)}`;
      const cluster = await TestCluster.start(1, 'postgres:', { DATABASE_URL: url.href });
      const ann = await connect(cluster.node(0), { name: 'ann' });
      await ann.ok('room.join', { room: ROOM, create: true });
      proxy.cut();
      const { code, reason } = await ann.event('bye');
      expect({ code, reason }).toEqual({ code: 4103, reason: 'the server is cut off' });

      proxy.repair();
      const ready = `${cluster.node(0).url}/readyz`;
      await eventually(async () => (await fetch(ready)).ok, 'the server to be ready');
      const { token } = ann.welcome;
      const back = await connect(cluster.node(0), { token });
      expect((await back.ok('room.get', { room: ROOM })).info.memberCount).toBe(1);
      await back.close();
      await cluster.dispose();
      await proxy.close();
    },
    TEST_MS,
  );
});

(onPostgres && nats.isRun ? describe : describe.skip)('servers whose bus is away', () => {
  let service: Awaited<ReturnType<typeof nats.open>>;
  let proxy: ChaosProxy;
  let cluster: TestCluster;

  beforeAll(async () => {
    service = await nats.open();
    proxy = await ChaosProxy.start(service);
    cluster = await TestCluster.start(2, `nats://127.0.0.1:${String(proxy.port)}`);
  }, TEST_MS);

  afterAll(async () => {
    await cluster.dispose();
    await proxy.close();
    await service.program?.dispose();
  }, TEST_MS);

  const busState = async (server: TestServer): Promise<unknown> => {
    const response = await fetch(`${server.url}/readyz`);
    return { code: response.status, ...((await response.json()) as object) };
  };

  test('deliver events of each other, stay ready, and return', async () => {
    const ann = await connect(cluster.node(0), { name: 'ann' });
    const bob = await connect(cluster.node(1), { name: 'bob' });
    await ann.ok('room.join', { room: ROOM, create: true });
    await bob.ok('room.join', { room: ROOM });
    proxy.cut();
    await eventually(async () => isAway(await busState(cluster.node(1))), 'the bus to be away');
    await say(ann, ROOM, 'without the bus');
    await ann.ok('dm.open', { user: bob.welcome.user.id });
    await bob.event('message.created', hasText('without the bus'));
    await bob.event('dm.opened');
    expect(await busState(cluster.node(0))).toEqual({ code: 200, status: 'ok', bus: 'away' });

    proxy.repair();
    for (const server of cluster.nodes) {
      await eventually(async () => !isAway(await busState(server)), 'the bus to be back');
    }
    await say(ann, ROOM, 'with the bus');
    await bob.event('message.created', hasText('with the bus'));
    for (const client of [ann, bob]) expect(client.events('bye')).toEqual([]);
  });
});
