import assert from 'node:assert/strict';
import { connect } from 'node:net';

import { OpenConnections } from '#src/chat/open-connections.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { openByHand } from '../support/packets.js';
import { Polling } from '../support/polling.js';
import { meet } from './meeting.js';
import { range } from './reading.js';
import { verifies, type Scene } from './suite.js';

/** 16,000 bytes. */
const LONG_TEXT = '𐐀'.repeat(4_000);
const ADDRESS = { 'X-Forwarded-For': '203.0.113.7' };
const TWO_PLACES = {
  only: ['socket.io polling'],
  settings: {
    PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
    PARLANCE_TRUST_PROXY: 'loopback',
  },
};

/** Opens a session of Engine.IO from the address of these tests. */
function openEngine({ server }: Scene): Promise<Polling> {
  return Polling.open(server?.url ?? '', ADDRESS);
}

/** Connects from the address of these tests; gives the client once it knows whether it may stay. */
async function enter(scene: Scene): Promise<TestClient> {
  const client = await scene.connect({ headers: ADDRESS });
  client.send({ id: 'h', cmd: 'hello', data: { protocol: 1 } });
  await client.until(() => client.frames.length > 0, 'a welcome or bye');
  return client;
}

const isRefused = (client: TestClient) => client.events('bye').length > 0;

verifies(
  'P-10.3',
  'ends the connection with its engine when the client disconnects its socket',
  async ({ server }) => {
    const raw = await openByHand(server?.url ?? '', { name: 'ann' });
    const session = await Polling.open(server?.url ?? '');
    await session.post('40{"name":"bob"}');

    raw.socket.send('41');
    const disconnected = await session.post('41');
    const again = await session.post('40{"name":"somebody else"}');

    await raw.client.end();
    assert.deepEqual([disconnected, again], [200, 400]);
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  'P-10.3',
  'closes an engine that connects its socket twice',
  async ({ server }) => {
    const session = await Polling.open(server?.url ?? '');

    await session.post('40{"name":"ann"}', '40{"name":"bob"}');

    await eventually(async () => (await session.post('3')) === 400, 'the end of the session');
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  ['P-9.11', 'P-10.3'],
  'counts an engine of Socket.IO from its first moment to its last',
  async (scene) => {
    const first = await openEngine(scene);
    const second = await openEngine(scene);
    await second.post('40');

    const third = await enter(scene);
    await third.end();
    await first.post('1');
    await eventually(async () => !isRefused(await enter(scene)), 'room for one more');
    const fourth = await enter(scene);
    await second.post('41');
    await eventually(async () => !isRefused(await enter(scene)), 'room for one more');

    assert(isRefused(third), 'two engines are all that the address may have');
    assert(isRefused(fourth), 'one that was let in counts once');
  },
  TWO_PLACES,
);

verifies(
  ['P-9.11', 'P-10.3', 'P-4.5'],
  'tells as many engines past the limit as the limit is, and no more',
  async (scene) => {
    const within = [await openEngine(scene), await openEngine(scene)];
    const beyond = [await openEngine(scene), await openEngine(scene)];

    const oneMore = await openEngine(scene);
    const refused = await oneMore.post('40');
    const [told] = beyond;
    await told?.post('40');
    let packets: string[] = [];
    while (!packets.some((text) => text.startsWith('42'))) packets = (await told?.poll()) ?? [];

    assert.equal(refused, 400, 'it is closed before it says anything');
    assert.match(packets.join(), /42\["bye",\{"code":4102,/);
    for (const session of [...within, ...beyond]) await session.post('1');
  },
  TWO_PLACES,
);

verifies(
  ['P-9.12', 'P-10.3'],
  'closes who polls and does not read the answers',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const messages = range(1, 20).map(() => ann.post('message.send', { room, text: LONG_TEXT }));
    for (const id of messages) await ann.reply(id);
    const session = await Polling.open(server.url);
    await session.post(`40${JSON.stringify({ token: ann.welcome.token })}`);
    const all = () => [...server.app.get(OpenConnections).all()];
    await eventually(() => all().every(({ session: told }) => told !== null), 'the session');
    const connection = all().at(-1);

    const history = `429${JSON.stringify(['message.history', { room }])}`;
    await session.post(...Array<string>(60).fill(history));
    await eventually(() => connection?.inFlight === 0, 'all replies');
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.write(`GET ${session.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await eventually(() => connection?.isOpen === false, 'the end of the connection');
    socket.destroy();
    await session.post('1');
  },
  {
    only: ['socket.io polling'],
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: '1000000000',
      PARLANCE_LIMIT_SHED_BYTES: '1000000000',
      PARLANCE_LIMIT_STALL_MS: '2000',
    },
  },
);
