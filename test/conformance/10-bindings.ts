import assert from 'node:assert/strict';

import type { EventFrame } from '#src/protocol/frames.js';

import { TestClient } from '../support/client.js';
import { captureErrorLog } from '../support/error-log.js';
import { verifies, type Scene } from './suite.js';
import { OPEN, type Open } from './transports.js';

// Each of these requirements uses several transports, so that running it once is enough.
const ONCE = { only: ['in-memory'], settings: {} };

/** Connects over every transport to one server. */
async function connectAll({ server }: Scene): Promise<TestClient[]> {
  assert(server !== undefined);
  return Promise.all(
    Object.values<Open>(OPEN).map((open) =>
      TestClient.connect((listener) => open(server, listener)),
    ),
  );
}

/** Returns the received events of a log for comparison, in order of arrival. */
function logOf(client: TestClient, room: string): string[] {
  return client.logged(room).map((event) => JSON.stringify(event));
}

verifies(
  'P-10.1',
  'shows the same log to users of every transport',
  async (scene) => {
    const clients = await connectAll(scene);
    const room = scene.room();
    for (const [index, client] of clients.entries()) {
      await client.ok('hello', { protocol: 1, name: `user-${String(index)}` });
      await client.ok('room.join', { room, create: true });
    }

    for (const client of clients) {
      const { message } = await client.ok('message.send', { room, text: 'hi' });
      await client.ok('message.edit', { room, message: message.id, text: 'ho' });
      await client.ok('message.react', { room, message: message.id, emoji: '👍' });
    }
    await clients[0]?.ok('message.send', { room, text: 'last' });
    for (const client of clients) {
      await client.event('message.created', ({ message }) => message.text === 'last');
    }

    const [first = [], ...others] = clients.map((client) => logOf(client, room).slice(-13));
    assert.equal(first.length, 13);
    for (const other of others) assert.deepEqual(other, first);
  },
  ONCE,
);

verifies(
  'P-10.1',
  'lets a user move between transports with a token and positions',
  async (scene) => {
    const [first, ...others] = await connectAll(scene);
    const bob = await scene.join('bob');
    const room = scene.room();
    assert(first !== undefined);
    const { user, token } = await first.ok('hello', { protocol: 1, name: 'ann' });
    await bob.ok('room.join', { room, create: true });
    const { epoch, seq: joined } = await first.ok('room.join', { room });
    await first.close();
    let seq = joined;

    for (const next of others) {
      await bob.ok('message.send', { room, text: 'missed' });
      const resume = { [room]: { epoch, seq } };
      const welcome = await next.ok('hello', { protocol: 1, ...(token && { token }), resume });
      assert.deepEqual(welcome.user, user);
      assert.equal((await next.event('message.created')).seq, seq + 1);
      seq += 1;
      await next.close();
    }
  },
  ONCE,
);

verifies(
  'P-10.4',
  'exchanges frames that are plain JSON, and shares no objects',
  async ({ server, room }) => {
    assert(server !== undefined);
    const frames: unknown[] = [];
    let wake: () => void = () => undefined;
    const listener = { frame: (frame: unknown) => (frames.push(frame), wake()), closed: () => {} };
    const connection = server.inMemory.connect(listener, { protocol: 1, name: 'ann' });
    const data = { room: room(), create: true };

    connection.send({ id: 1, cmd: 'room.join', data });
    data.room = 'changed';
    await new Promise<void>((resolve) => {
      wake = () => {
        if ((frames as { re?: unknown }[]).some(({ re }) => re === 1)) resolve();
      };
      wake();
    });
    connection.close();

    const reply = (frames as { re?: unknown; data: { room: string } }[]).find(({ re }) => re === 1);
    assert.notEqual(reply?.data.room, 'changed');
    for (const frame of frames) checkPlain(frame);
  },
  ONCE,
);

/** Checks that a value has no undefined fields, which JSON would drop. */
function checkPlain(value: unknown): void {
  assert(value !== undefined && typeof value !== 'function', 'there is a value');
  if (typeof value !== 'object' || value === null) return;
  for (const child of Object.values(value) as unknown[]) checkPlain(child);
}

verifies(
  'P-10.4',
  'applies the frame limits in memory',
  async ({ join }) => {
    const ann = await join('ann');

    ann.send({ id: 1, cmd: 'session.ping', data: { x: 'x'.repeat(70_000) } });

    assert.equal((await ann.event('error')).error.code, 'bad_frame');
    await ann.roundTrip();
  },
  { only: ['in-memory'] },
);

verifies(
  'P-10.4',
  'keeps running after a listener in the program throws',
  async ({ server, join, room }) => {
    assert(server !== undefined);
    const ann = await join('ann');
    const name = room();
    await ann.ok('room.join', { room: name, create: true });
    const received: unknown[] = [];
    const fail = (what: unknown) => {
      received.push(what);
      throw new Error('a faulty bot');
    };
    const listeners = [
      { frame: fail, closed: fail },
      { frame: async (what: unknown) => fail(await Promise.resolve(what)), closed: fail },
    ];

    const logged = await captureErrorLog(async () => {
      const bots = listeners.map((listener) => server.inMemory.connect(listener, { protocol: 1 }));
      for (const bot of bots) bot.send({ id: 1, cmd: 'room.join', data: { room: name } });
      await ann.event('member.joined');
      await ann.event('member.joined');
      for (const text of ['one', 'two']) await ann.ok('message.send', { room: name, text });
      await ann.event('message.created', ({ message }) => message.text === 'two');
      for (const bot of bots) bot.close();
      await ann.roundTrip();
    });

    const messages = received.filter((what) => (what as EventFrame).event === 'message.created');
    assert.equal(messages.length, 4, 'every listener gets every message');
    assert.deepEqual(received.slice(-2), [1000, 1000]);
    assert.equal(logged.length, received.length);
  },
  ONCE,
);
