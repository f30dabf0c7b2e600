import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { connectAgain, meet, say } from './meeting.js';
import { checkRate } from './rate.js';
import { range } from './reading.js';
import { verifies, type Scene } from './suite.js';

const OVER_HTTP = ['websocket', 'socket.io websocket', 'socket.io polling'];
/** Transports on which the server can stop reading; it cannot while a session polls. */
const OVER_SOCKETS = ['websocket', 'socket.io websocket'];
const BURST_BYTES = 12_000;
const FEW_READS = {
  PARLANCE_LIMIT_READ_BYTES_PER_SECOND: '1',
  PARLANCE_LIMIT_READ_BYTES_BURST: String(BURST_BYTES),
};
/** Gives all users of an address together the rates of one user. */
const AS_ONE_USER = {
  PARLANCE_LIMIT_BUSY_USERS_PER_ADDRESS: '1',
  PARLANCE_TRUST_PROXY: 'loopback',
};
const TEXT = 'x'.repeat(4_000);
const ADDRESS = '203.0.113.7';
const ELSEWHERE = '203.0.113.8';

async function come(scene: Scene, address: string): Promise<TestClient> {
  const client = await scene.connect({ headers: { 'X-Forwarded-For': address } });
  await client.ok('hello', { protocol: 1 });
  return client;
}

/** Reads pages of history until one is refused; returns the bytes of each page. */
async function readUntilRefused(client: TestClient, room: string): Promise<number[]> {
  const sizes: number[] = [];
  for (;;) {
    const reply = await client.reply(client.post('message.history', { room }));
    if (!reply.ok) return sizes;
    sizes.push(Buffer.byteLength(JSON.stringify(reply.data)));
    assert(sizes.length < BURST_BYTES, 'reads are refused eventually');
  }
}

verifies(
  ['P-9.10', 'P-4.2'],
  'limits the bytes that a user reads over all connections',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    await say(bob, room, TEXT);
    const annToo = await connectAgain(scene, ann);

    const sizes = await readUntilRefused(ann, room);
    const read = sizes.reduce((sum, size) => sum + size, 0);
    for (const cmd of ['message.history', 'room.sync', 'room.join', 'room.members'] as const) {
      checkRate(await annToo.expectError(cmd, { room }, 'rate_limited'), 'reads');
    }
    await say(ann, room, 'she may still write');
    await bob.ok('message.history', { room });

    // The cut of the join counts too.
    assert(read <= BURST_BYTES + 5_000, `${String(read)} bytes were read`);
    assert(sizes.length >= 2, `${String(sizes.length)} pages of ${String(sizes[0])} bytes`);
  },
  { settings: FEW_READS },
);

verifies(
  ['P-9.10', 'P-4.2'],
  'limits the bytes that the users of an address read',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    await say(clients[0], room, TEXT);
    const bob = await come(scene, ADDRESS);
    const carol = await come(scene, ADDRESS);
    const dave = await come(scene, ELSEWHERE);
    for (const client of [bob, carol, dave]) await client.ok('room.join', { room });

    await readUntilRefused(bob, room);
    const error = await carol.expectError('message.history', { room }, 'rate_limited');
    await dave.ok('message.history', { room });

    checkRate(error, 'addressReads');
  },
  { settings: { ...FEW_READS, ...AS_ONE_USER }, only: OVER_HTTP },
);

verifies(
  ['P-9.10', 'P-5.4', 'P-4.2'],
  'limits how many rooms a user joins',
  async (scene) => {
    const [ann, bob] = [await scene.join('ann'), await scene.join('bob')];
    const [first, second, third] = [scene.room(), scene.room(), scene.room()];
    for (const room of [first, second, third]) await ann.ok('room.create', { room });
    await bob.ok('room.join', { room: first });
    await bob.ok('room.leave', { room: first });
    await bob.ok('room.join', { room: second });

    const error = await bob.expectError('room.join', { room: third }, 'rate_limited');
    await bob.expectError('room.join', { room: first }, 'rate_limited');
    await bob.ok('room.join', { room: second });

    const wait = checkRate(error, 'joins');
    assert(wait > 60_000 && wait <= 1_800_000, `${String(wait)} ms for two joins an hour`);
  },
  { settings: { PARLANCE_LIMIT_JOINS_PER_HOUR: '2' } },
);

verifies(
  ['P-9.10', 'P-4.2'],
  'limits messages, edits, reactions and joins of all users of an address together',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const { id: message } = await say(clients[0], room, 'one');
    const bob = await come(scene, ADDRESS);
    const carol = await come(scene, ADDRESS);
    const dave = await come(scene, ELSEWHERE);
    for (const client of [bob, carol, dave]) await client.ok('room.join', { room });

    for (const [cmd, make] of [
      ['message.send', () => ({ room, text: 'hi' })],
      ['message.edit', () => ({ room, message, text: 'hi' })],
      ['message.react', () => ({ room, message, emoji: '👍' })],
      ['room.join', () => ({ room: scene.room(), create: true })],
    ] as const) {
      // Together they use up the rate of the address before either uses up its own.
      const sent = range(1, 8).flatMap(() => [bob, carol].map((one) => ({ one, data: make() })));
      const asked = sent.map(({ one, data }) => ({ one, id: one.post(cmd, data) }));
      const replies = await Promise.all(asked.map(({ one, id }) => one.reply(id)));
      const refusals = replies.flatMap((reply) => (reply.ok ? [] : [reply.error.details]));
      assert.deepEqual(
        refusals.find((details) => details?.['bucket'] === 'addressMessages'),
        { bucket: 'addressMessages' },
        cmd,
      );
    }
    await dave.ok('message.react', { room, message, emoji: '👍' });
  },
  {
    settings: {
      ...AS_ONE_USER,
      PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1',
      PARLANCE_LIMIT_MESSAGES_BURST: '4',
    },
    only: OVER_HTTP,
  },
);

verifies(
  'P-9.10',
  'stops reading from an address that sends too many frames',
  async (scene) => {
    const bob = await come(scene, ADDRESS);
    const carol = await come(scene, ADDRESS);
    const dave = await come(scene, ELSEWHERE);

    const floods = range(1, 30).map(() => bob.post('session.ping'));
    await bob.reply(floods[0]);
    const began = performance.now();
    const held = carol.post('session.ping');
    await dave.roundTrip();
    const reply = await carol.reply(held);
    const waited = performance.now() - began;

    assert(reply.ok, 'no unread frame is refused');
    // More than the 10 tokens were spent, and one is refilled every 100 ms.
    assert(waited >= 100, `the frame was read after ${String(waited)} ms`);
  },
  {
    settings: {
      ...AS_ONE_USER,
      PARLANCE_LIMIT_COMMANDS_PER_SECOND: '10',
      PARLANCE_LIMIT_COMMANDS_BURST: '10',
    },
    only: OVER_SOCKETS,
  },
);
