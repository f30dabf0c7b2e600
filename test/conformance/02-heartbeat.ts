import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';
import type { Welcome } from '#src/protocol/welcome.js';

import { eventually } from '../support/eventually.js';
import { openRaw, type RawWebSocket } from '../support/raw-websocket.js';
import { limitInForce } from './limit-in-force.js';
import { readHistory } from './reading.js';
import { verifies, type Scene } from './suite.js';

const CLOCK_TOLERANCE_MS = 60_000;
// Packets that a polling request may have (P-9.5), and commands that may wait in memory (P-9.7).
const COUNTS: Readonly<Record<string, number>> = { 'socket.io polling': 50, 'in-memory': 200 };
/** Time that the server waits for a closing handshake. */
const CLOSING_MS = 5_000;
const SPREAD_MS = 10_000;
const SOCKET_IO = ['socket.io websocket', 'socket.io polling'];
const BUSY = {
  only: ['websocket'],
  settings: {
    PARLANCE_LIMIT_HEARTBEAT_INTERVAL_MS: '100',
    PARLANCE_LIMIT_HEARTBEAT_TIMEOUT_MS: '300',
  },
};

/** Opens a session whose client answers pings only on request. */
async function session(
  { server }: Scene,
  autoPong: boolean,
  hello: Readonly<Record<string, unknown>> = {},
): Promise<RawWebSocket & { welcome: Welcome }> {
  const raw = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`, { autoPong });
  const welcome = await raw.client.ok('hello', { protocol: 1, ...hello });
  return { ...raw, welcome };
}

/** Waits for pings, and acts on each. */
async function afterPings(
  { socket }: RawWebSocket,
  count: number,
  act: () => void = () => undefined,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let left = count;
    socket.on('ping', () => {
      act();
      if (--left === 0) resolve();
    });
    socket.once('close', () => reject(new Error(`closed with ${String(left)} pings to come`)));
  });
}

verifies(
  'P-2.12',
  'describes the heartbeat of a WebSocket in the welcome',
  async (scene) => {
    const { heartbeat } = await (await scene.connect()).ok('hello', { protocol: 1 });

    assert.deepEqual(heartbeat, {
      mode: 'transport',
      intervalMs: limitInForce(scene, 'heartbeatIntervalMs'),
      timeoutMs: limitInForce(scene, 'heartbeatTimeoutMs'),
    });
  },
  { only: ['websocket'] },
);

verifies(
  'P-2.12',
  'leaves the heartbeat of Socket.IO to engine.io, whatever hello asks for',
  async ({ connect }) => {
    for (const ask of [{}, { heartbeat: 'frames' as const }]) {
      const { heartbeat } = await (await connect()).ok('hello', { protocol: 1, ...ask });
      assert.deepEqual(heartbeat, { mode: 'transport', intervalMs: 25_000, timeoutMs: 20_000 });
    }
  },
  { only: SOCKET_IO },
);

verifies(
  ['P-2.12', 'P-10.4'],
  'needs no heartbeat in memory, whatever hello asks for',
  async ({ connect }) => {
    for (const ask of [{}, { heartbeat: 'frames' as const }]) {
      const { heartbeat } = await (await connect()).ok('hello', { protocol: 1, ...ask });
      assert.deepEqual(heartbeat, { mode: 'transport', intervalMs: 0, timeoutMs: 0 });
    }
  },
  { only: ['in-memory'] },
);

verifies(
  'P-2.12',
  'pings a silent WebSocket, and keeps one that answers',
  async (scene) => {
    const ann = await session(scene, true);

    await afterPings(ann, 5);

    await ann.client.roundTrip();
    assert.deepEqual(ann.client.events('session.ping'), []);
  },
  BUSY,
);

verifies(
  'P-2.12',
  'accepts any frame as an answer to a ping',
  async (scene) => {
    const ann = await session(scene, false);

    await afterPings(ann, 5, () => ann.client.post('session.ping'));

    await ann.client.roundTrip();
  },
  BUSY,
);

verifies(
  ['P-2.12', 'P-4.5'],
  'closes a WebSocket that answers no ping with 4203',
  async (scene) => {
    const ann = await session(scene, false);

    const bye = await ann.client.event('bye');

    assert.equal(bye.code, 4203);
    assert.equal(bye.reconnect, true);
    assert.equal((await ann.client.end()).code, 4203);
    assert.equal(ann.pings(), 1);
  },
  BUSY,
);

verifies(
  'P-2.12',
  'pings a client that keeps sending frames without ids',
  async (scene) => {
    const ann = await session(scene, true);
    const talk = setInterval(() => ann.client.send({ cmd: 'session.ping', data: {} }), 5);

    await afterPings(ann, 5).finally(() => clearInterval(talk));
    await ann.client.roundTrip();

    const frames = ann.client.frames as { event?: string }[];
    assert.deepEqual(
      frames.filter(({ event }) => event !== undefined).map(({ event }) => event),
      [],
    );
  },
  BUSY,
);

verifies(
  'P-2.12',
  'ends a half-open WebSocket without a closing handshake',
  async (scene) => {
    const ann = await session(scene, true);
    const open = (): number => [...connectionsOf(scene)].length;
    assert.equal(open(), 1);
    const since = performance.now();

    ann.socket.pause();
    await eventually(() => open() === 0, 'the end of the connection');

    assert(
      performance.now() - since < CLOSING_MS,
      'nothing waits for an answer to the close frame',
    );
    ann.socket.terminate();
  },
  BUSY,
);

/** Returns the connections of the server. */
function connectionsOf({ server }: Scene): Iterable<unknown> {
  assert(server !== undefined, 'the server is in this process');
  return server.app.get(OpenConnections).all();
}

verifies(
  'P-2.12',
  'sends events instead of pings to a client that requests frames',
  async (scene) => {
    const ann = await session(scene, true, { heartbeat: 'frames' });
    assert.equal(ann.welcome.heartbeat.mode, 'frames');

    for (let beat = 0; beat < 5; beat++) {
      const { at } = await ann.client.event('session.ping');
      assert(Math.abs(at - Date.now()) < CLOCK_TOLERANCE_MS, String(at));
      await ann.client.ok('session.ping', {});
    }

    assert.equal(ann.pings(), 0);
  },
  BUSY,
);

verifies(
  ['P-2.12', 'P-4.5'],
  'closes a WebSocket that answers no session.ping event with 4203',
  async (scene) => {
    const ann = await session(scene, true, { heartbeat: 'frames' });

    const bye = await ann.client.event('bye');

    assert.equal(bye.code, 4203);
    assert.equal(ann.client.events('session.ping').length, 1);
    assert.equal((await ann.client.end()).code, 4203);
  },
  BUSY,
);

verifies('P-2.13', 'returns the time of the server', async ({ join }) => {
  const ann = await join('ann');

  const first = await ann.ok('session.ping', {});
  const second = await ann.ok('session.ping', {});

  assert(Math.abs(first.at - Date.now()) < CLOCK_TOLERANCE_MS, String(first.at));
  assert(second.at >= first.at);
});

verifies('P-2.13', 'requires a session for session.ping', async ({ connect }) => {
  const ann = await connect();

  await ann.expectError('session.ping', {}, 'hello_required');
});

verifies(
  ['P-2.14', 'P-4.5'],
  'sends bye 4201 with a delay to all clients when it stops',
  async ({ server, connect, join }) => {
    const clients = [await join('ann'), await join('bob'), await connect()];

    await server?.stop();

    for (const client of clients) {
      const bye = await client.event('bye');
      assert.equal(bye.code, 4201);
      assert.equal(bye.reconnect, true);
      const { delayMs = -1 } = bye;
      assert(delayMs >= 0 && delayMs <= SPREAD_MS, String(delayMs));
      await client.end();
    }
  },
  { settings: {} },
);

verifies(
  ['P-2.14', 'P-3.7', 'P-4.1'],
  'stores exactly the commands that it has answered, when it stops',
  async ({ transport, server, join, room, start }) => {
    const ann = await join('ann');
    const name = room();
    await ann.ok('room.join', { room: name, create: true });
    const count = COUNTS[transport] ?? 400;
    const ids = Array.from({ length: count }, (_, index) =>
      ann.post('message.send', { room: name, text: String(index) }),
    );
    await ann.reply(ids[0]);

    await server?.stop();
    await ann.end();
    assert.equal(ann.events('bye').length, 1);
    const replies = ann.frames as { re?: string; ok?: boolean }[];
    const answered = new Set(replies.filter(({ ok }) => ok === true).map(({ re }) => re));
    const bob = await (await start(server?.env ?? {})).connect();
    await bob.ok('hello', { protocol: 1 });
    await bob.ok('room.join', { room: name });
    const stored = await readHistory(bob, name);

    assert.deepEqual(
      stored.map(({ text }) => text),
      ids.filter((id) => answered.has(id)).map((id) => String(ids.indexOf(id))),
    );
  },
  { settings: {} },
);

verifies(
  'P-2.14',
  'stops even if clients do not read',
  async ({ server }) => {
    const deaf = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`);
    await deaf.client.ok('hello', { protocol: 1 });
    deaf.socket.pause();
    const polling = `${server?.url ?? ''}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(polling)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: '40' });

    await server?.stop();

    deaf.socket.resume();
    assert.equal((await deaf.client.event('bye')).code, 4201);
  },
  { only: ['websocket'], settings: {} },
);
