import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { openByHand } from '../support/packets.js';
import { Polling } from '../support/polling.js';
import { verifies, type Scene } from './suite.js';

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
