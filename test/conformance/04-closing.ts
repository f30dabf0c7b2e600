import assert from 'node:assert/strict';

import type { EventData } from '#src/protocol/events.js';

import { withClockAhead } from '../support/clock.js';
import type { TestClient } from '../support/client.js';
import { openRaw, rawFrame, type RawWebSocket } from '../support/raw-websocket.js';
import { verifies, type Requirement, type Scene } from './suite.js';

const AFTER_GRACE_MS = 26_000;
const TEXT = 1;
const CONTINUATION = 0;

/** A reason for the server to close a connection. */
interface Provocation extends Pick<Requirement, 'settings' | 'only'> {
  /** Returns the client that is about to be closed. */
  provoke(scene: Scene): Promise<TestClient>;
}

// 4002 and 4203 concern only raw WebSocket: see 10-websocket.ts and 02-heartbeat.ts. 4202 and
// 4204 are tested with their clauses, P-9.12 and P-5.15.
const PROVOCATIONS: Record<number, Provocation> = {
  4001: {
    only: ['websocket', 'in-memory'],
    settings: { PARLANCE_LIMIT_BAD_FRAMES: '1' },
    provoke: async ({ join }) => {
      const ann = await join('ann');
      ann.send([]);
      return ann;
    },
  },
  4003: {
    settings: { PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '200' },
    provoke: ({ connect }) => connect(),
  },
  4101: {
    settings: { PARLANCE_LIMIT_COMMANDS_BURST: '1', PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1' },
    provoke: async ({ join }) => {
      const ann = await join('ann');
      for (let sent = 0; sent < 20; sent++) ann.post('session.ping');
      return ann;
    },
  },
  4102: {
    settings: { PARLANCE_LIMIT_CONNECTIONS_PER_USER: '1' },
    provoke: async ({ connect, join }) => {
      const { token } = (await join('ann')).welcome;
      const bob = await connect();
      bob.post('hello', { protocol: 1, token });
      return bob;
    },
  },
  4201: {
    settings: {},
    provoke: async ({ join, server }) => {
      const ann = await join('ann');
      void server?.stop();
      return ann;
    },
  },
  4301: {
    settings: {},
    provoke: async ({ join }) => {
      const ann = await join('ann');
      const ahead = ann.welcome.expiresAt + AFTER_GRACE_MS - Date.now();
      await withClockAhead(ahead, () => ann.until(() => ann.events('bye').length > 0, 'bye'));
      return ann;
    },
  },
};

/** Returns the action that the range of a code requires. */
function verdictOf(code: number): Pick<EventData<'bye'>, 'reconnect'> {
  return { reconnect: [41, 42].includes(Math.floor(code / 100)) };
}

/** Checks how a client sees the close, as far as its transport reports it. */
function checkEnd(transport: string, { closedAs }: TestClient, bye: EventData<'bye'>): void {
  if (!transport.startsWith('socket.io')) {
    assert.deepEqual(closedAs, { code: bye.code, reason: bye.reason });
    return;
  }
  // Its client does not reconnect after the former, and reconnects automatically after the latter.
  const reason = bye.reconnect ? 'transport close' : 'io server disconnect';
  assert.equal(closedAs?.reason, reason);
  if (transport === 'socket.io websocket' && bye.reconnect) assert.equal(closedAs.code, bye.code);
}

for (const [code, { provoke, ...options }] of Object.entries(PROVOCATIONS)) {
  verifies(
    ['P-4.5', 'P-2.14'],
    `sends bye before it closes with ${code}`,
    async (scene) => {
      const client = await provoke(scene);

      const bye = await client.event('bye');
      await client.end();

      assert.equal(bye.code, Number(code));
      assert.equal(bye.reconnect, verdictOf(bye.code).reconnect);
      assert.notEqual(bye.reason, '');
      assert.deepEqual((client.frames.at(-1) as { data: unknown }).data, bye);
      checkEnd(scene.transport, client, bye);
    },
    options,
  );
}

/** Violations of RFC 6455, each as the bytes that a client writes. */
const VIOLATIONS: readonly (readonly [number, string, Buffer])[] = [
  [1002, 'an unknown opcode', rawFrame({ opcode: 3 })],
  [1002, 'a reserved bit', rawFrame({ opcode: TEXT, rsv1: true, payload: Buffer.from('{}') })],
  [1002, 'a frame without a mask', rawFrame({ opcode: TEXT, masked: false })],
  [1002, 'a continuation of nothing', rawFrame({ opcode: CONTINUATION })],
  [1007, 'text that is not UTF-8', rawFrame({ opcode: TEXT, payload: Buffer.from([0xc3, 0x28]) })],
  [
    1008,
    'too many fragments',
    Buffer.concat([
      rawFrame({ opcode: TEXT, fin: false, payload: Buffer.from(' ') }),
      ...Array.from({ length: 70 }, () =>
        rawFrame({ opcode: CONTINUATION, fin: false, payload: Buffer.from(' ') }),
      ),
    ]),
  ],
];

/** Checks that a raw WebSocket is closed with a code and no bye. */
async function checkViolation(raw: RawWebSocket, code: number): Promise<void> {
  assert.equal((await raw.client.end()).code, code);
  assert.deepEqual(raw.client.events('bye'), []);
}

for (const [code, what, bytes] of VIOLATIONS) {
  verifies(
    'P-4.6',
    `closes with ${String(code)} and without bye after ${what}`,
    async ({ server }) => {
      const raw = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`);
      await raw.client.ok('hello', { protocol: 1 });

      raw.write(bytes);

      await checkViolation(raw, code);
    },
    { only: ['websocket'], settings: {} },
  );
}

verifies(
  ['P-4.6', 'P-9.2'],
  'closes with 1009 and without bye after a frame that is too large',
  async ({ server }) => {
    const raw = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`);
    const { limits } = await raw.client.ok('hello', { protocol: 1 });

    raw.socket.send(' '.repeat(limits.frameBytes + 1));

    await checkViolation(raw, 1009);
  },
  { only: ['websocket'], settings: {} },
);
