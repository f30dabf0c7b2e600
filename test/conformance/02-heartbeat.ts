import assert from 'node:assert/strict';

import type { Welcome } from '#src/protocol/welcome.js';

import { openRaw, type RawWebSocket } from '../support/raw-websocket.js';
import { readHistory } from './reading.js';
import { verifies, type Scene } from './suite.js';

const CLOCK_TOLERANCE_MS = 60_000;
// What a polling request takes (P-9.5), and what may wait in memory (P-9.7).
const COUNTS: Readonly<Record<string, number>> = { 'socket.io polling': 50, 'in-memory': 200 };
const SPREAD_MS = 10_000;
const SOCKET_IO = ['socket.io websocket', 'socket.io polling'];
const BUSY = {
  only: ['websocket'],
  settings: {
    PARLANCE_LIMIT_HEARTBEAT_INTERVAL_MS: '100',
    PARLANCE_LIMIT_HEARTBEAT_TIMEOUT_MS: '300',
  },
};

/** Opens a session whose client answers pings by itself only if it is told to. */
async function session(
  { server }: Scene,
  autoPong: boolean,
  hello: Readonly<Record<string, unknown>> = {},
): Promise<RawWebSocket & { welcome: Welcome }> {
  const raw = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`, { autoPong });
  const welcome = await raw.client.ok('hello', { protocol: 1, ...hello });
  return { ...raw, welcome };
}

/** Waits for pings, and does something at each. */
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
  'tells a WebSocket how its heartbeat works',
  async ({ connect }) => {
    const { heartbeat, limits } = await (await connect()).ok('hello', { protocol: 1 });

    assert.deepEqual(heartbeat, {
      mode: 'transport',
      intervalMs: limits.heartbeatIntervalMs,
      timeoutMs: limits.heartbeatTimeoutMs,
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

    await ann.client.settled();
    assert.deepEqual(ann.client.events('session.ping'), []);
  },
  BUSY,
);

verifies(
  'P-2.12',
  'takes any frame as an answer to a ping',
  async (scene) => {
    const ann = await session(scene, false);

    await afterPings(ann, 5, () => ann.client.post('session.ping'));

    await ann.client.settled();
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
  'sends events instead of pings to a client that asks for frames',
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

verifies('P-2.13', 'tells the time of the server', async ({ join }) => {
  const ann = await join('ann');

  const first = await ann.ok('session.ping', {});
  const second = await ann.ok('session.ping', {});

  assert(Math.abs(first.at - Date.now()) < CLOCK_TOLERANCE_MS, String(first.at));
  assert(second.at >= first.at);
});

verifies('P-2.13', 'needs a session for session.ping', async ({ connect }) => {
  const ann = await connect();

  await ann.refused('session.ping', {}, 'hello_required');
});

verifies(
  ['P-2.14', 'P-4.5'],
  'says bye 4201 with a delay to everybody when it stops',
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
  'stores all that it has answered, and answers all that it has stored, when it stops',
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
  'stops also when clients do not read what they are told',
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
