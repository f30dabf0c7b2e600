import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

import { WebSocket } from 'ws';

import { OpenConnections } from '#src/chat/open-connections.js';

import type { TestClient } from '../support/client.js';
import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { openSocketIoPackets } from '../support/packets.js';
import { Polling } from '../support/polling.js';
import { tryUpgrade } from '../support/raw-websocket.js';
import { meet } from './meeting.js';
import { range } from './reading.js';
import { verifies, type Scene } from './suite.js';

/** 16,000 bytes. */
const LONG_TEXT = '𐐀'.repeat(4_000);
const ADDRESS = { 'X-Forwarded-For': '203.0.113.7' };
const TWO_CONNECTIONS = {
  only: ['socket.io polling'],
  settings: {
    PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
    PARLANCE_TRUST_PROXY: 'loopback',
  },
};

/** Opens an Engine.IO session from the address of these tests. */
function openEngine({ server }: Scene): Promise<Polling> {
  return Polling.open(server?.url ?? '', ADDRESS);
}

/** Connects from the address of these tests; returns the client after its welcome or bye. */
async function connectFromAddress(scene: Scene): Promise<TestClient> {
  const client = await scene.connect({ headers: ADDRESS });
  client.send({ id: 'h', cmd: 'hello', data: { protocol: 1 } });
  await client.until(() => client.frames.length > 0, 'a welcome or bye');
  return client;
}

const isRefused = (client: TestClient) => client.events('bye').length > 0;

verifies(
  'P-10.3',
  'ends the engine when the client disconnects its socket',
  async ({ server }) => {
    const raw = await openSocketIoPackets(server?.url ?? '', { name: 'ann' });
    const session = await Polling.open(server?.url ?? '');
    await session.post('40{"name":"bob"}');

    raw.socket.send('41');
    const disconnected = await session.post('41');
    const reconnected = await session.post('40{"name":"somebody else"}');

    await raw.client.end();
    assert.deepEqual({ disconnected, reconnected }, { disconnected: 200, reconnected: 400 });
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
  'counts a Socket.IO engine from open to close',
  async (scene) => {
    const first = await openEngine(scene);
    const second = await openEngine(scene);
    await second.post('40');

    const third = await connectFromAddress(scene);
    await third.end();
    await first.post('1');
    await eventually(async () => !isRefused(await connectFromAddress(scene)), 'room for one more');
    const fourth = await connectFromAddress(scene);
    await second.post('41');
    await eventually(async () => !isRefused(await connectFromAddress(scene)), 'room for one more');

    assert(isRefused(third), 'the address may have two engines');
    assert(isRefused(fourth), 'an accepted engine counts once');
  },
  TWO_CONNECTIONS,
);

verifies(
  ['P-9.11', 'P-10.3', 'P-4.5'],
  'sends bye to as many refused engines as the limit, and closes the others at once',
  async (scene) => {
    const within = [await openEngine(scene), await openEngine(scene)];
    const beyond = [await openEngine(scene), await openEngine(scene)];

    const oneMore = await openEngine(scene);
    const refused = await oneMore.post('40');
    const [refusedFirst] = beyond;
    await refusedFirst?.post('40');
    let packets: string[] = [];
    while (!packets.some((text) => text.startsWith('42'))) {
      packets = (await refusedFirst?.poll()) ?? [];
    }

    assert.equal(refused, 400, 'the engine is closed before its first packet');
    assert.match(packets.join(), /42\["bye",\{"code":4102,/);
    for (const session of [...within, ...beyond]) await session.post('1');
  },
  TWO_CONNECTIONS,
);

verifies(
  ['P-9.12', 'P-10.3'],
  'closes a client that polls and does not read the responses',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const messages = range(1, 20).map(() => ann.post('message.send', { room, text: LONG_TEXT }));
    for (const id of messages) await ann.reply(id);
    const session = await Polling.open(server.url);
    await session.post(`40${JSON.stringify({ token: ann.welcome.token })}`);
    const open = server.app.get(OpenConnections);
    const all = () => [...open.all()];
    await eventually(() => all().every((one) => one.session !== null), 'the session');
    const connection = all().at(-1);
    assert(connection !== undefined);
    const intake = open.intakeOf(connection);

    const history = `429${JSON.stringify(['message.history', { room }])}`;
    await session.post(...Array<string>(60).fill(history));
    await eventually(() => intake?.inFlight === 0, 'all replies');
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.write(`GET ${session.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await eventually(() => !connection.isOpen, 'the end of the connection');
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

verifies(
  'P-10.3',
  'sends at most 16 packets per poll response, and the rest in the next ones',
  async ({ server }) => {
    const session = await Polling.open(server?.url ?? '');
    await session.post('40{"name":"ann"}');
    const pings = range(1, 50).map((id) => `42${String(id)}["session.ping",{}]`);
    for (const from of [0, 10, 20, 30, 40]) await session.post(...pings.slice(from, from + 10));

    const answers: string[][] = [];
    const isAck = (packet: string) => packet.startsWith('43');
    while (answers.flat().filter(isAck).length < 50) answers.push(await session.poll());
    await session.post('1');

    const acks = answers.flat().filter(isAck);
    assert.deepEqual(
      acks.map((packet) => Number.parseInt(packet.slice(2))),
      range(1, 50),
    );
    for (const packets of answers) assert(packets.length <= 16, String(packets.length));
    assert(
      answers.some(({ length }) => length === 16),
      'they had to wait',
    );
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  'P-10.3',
  'accepts one upgrade probe per session, of 500',
  async ({ server }) => {
    const session = await Polling.open(server?.url ?? '');
    const url = `${server?.url ?? ''}${session.path.replace('=polling', '=websocket')}`;
    const first = new WebSocket(url.replace('http', 'ws'));
    await once(first, 'open');

    const probes = await Promise.all(range(1, 500).map(() => tryUpgrade(url)));
    first.send('2probe');
    const [pong] = (await once(first, 'message')) as [Buffer];
    first.send('5');
    first.send('40{"name":"ann"}');
    const [connected] = (await once(first, 'message')) as [Buffer];
    const late = await tryUpgrade(url);
    first.terminate();

    assert.deepEqual(new Set([...probes, late].map(({ status }) => status)), new Set([400]));
    assert.deepEqual(
      { pong: pong.toString(), connected: connected.toString().slice(0, 2) },
      { pong: '3probe', connected: '40' },
    );
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  'P-10.3',
  'closes a client with a binary parser, such as msgpack, with a reason, and logs it once',
  async ({ server }) => {
    const url = `${server?.url.replace('http', 'ws') ?? ''}/socket.io/?EIO=4&transport=websocket`;
    const closed: unknown[] = [];

    const logged = await captureErrorLog(async () => {
      for (const binary of [Buffer.from([0x83, 0xa4]), Buffer.from('40')]) {
        const socket = new WebSocket(url);
        await once(socket, 'open');
        socket.send(binary);
        const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
        closed.push([code, reason.toString()]);
      }
    });

    assert.deepEqual(closed, [
      [1003, 'text packets only'],
      [1003, 'text packets only'],
    ]);
    assert.equal(logged.length, 1);
    assert.match(JSON.stringify(logged), /only text packets.*msgpack/);
  },
  { only: ['socket.io websocket'], settings: {} },
);
