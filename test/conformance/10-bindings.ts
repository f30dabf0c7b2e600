import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { promisify } from 'node:util';

import type { EventFrame } from '#src/protocol/frames.js';

import { TestClient } from '../support/client.js';
import { logOfErrors } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { refusedUpgrade, tryUpgrade } from '../support/raw-websocket.js';
import type { TestServer } from '../support/server.js';
import { verifies, type Scene } from './suite.js';
import { OPEN, type Open } from './transports.js';

// Once is enough: each of them is about several transports at a time.
const ONCE = { only: ['in-memory'], settings: {} };
const HOST = 'chat.example.org';
const LISTED = 'https://app.example.org';

/** Connects over every transport to one server. */
async function connectAll({ server }: Scene): Promise<TestClient[]> {
  assert(server !== undefined);
  return Promise.all(
    Object.values<Open>(OPEN).map((open) =>
      TestClient.connect((listener) => open(server, listener)),
    ),
  );
}

/** Gives the events of a log as they came, for comparison. */
function logOf(client: TestClient, room: string): string[] {
  return client.logged(room).map((event) => JSON.stringify(event));
}

verifies(
  'P-10.1',
  'shows the same log to users on every transport',
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
  'lets a user go from one transport to another with a token and positions',
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
  'exchanges frames that are plain JSON, and shares none of them',
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

/** Checks that a value has no absent field, which JSON could not tell from none. */
function checkPlain(value: unknown): void {
  assert(value !== undefined && typeof value !== 'function', 'there is a value');
  if (typeof value !== 'object' || value === null) return;
  for (const child of Object.values(value) as unknown[]) checkPlain(child);
}

verifies(
  'P-10.4',
  'keeps to the limits of a frame in memory',
  async ({ join }) => {
    const ann = await join('ann');

    ann.send({ id: 1, cmd: 'session.ping', data: { x: 'x'.repeat(70_000) } });

    assert.equal((await ann.event('error')).error.code, 'bad_frame');
    await ann.settled();
  },
  { only: ['in-memory'] },
);

verifies(
  'P-10.4',
  'goes on after a program that fails at what it is told',
  async ({ server, join, room }) => {
    assert(server !== undefined);
    const ann = await join('ann');
    const name = room();
    await ann.ok('room.join', { room: name, create: true });
    const told: unknown[] = [];
    const fail = (what: unknown) => {
      told.push(what);
      throw new Error('a bot with a fault');
    };
    const listeners = [
      { frame: fail, closed: fail },
      { frame: async (what: unknown) => fail(await Promise.resolve(what)), closed: fail },
    ];

    const logged = await logOfErrors(async () => {
      const bots = listeners.map((listener) => server.inMemory.connect(listener, { protocol: 1 }));
      for (const bot of bots) bot.send({ id: 1, cmd: 'room.join', data: { room: name } });
      await ann.event('member.joined');
      await ann.event('member.joined');
      for (const text of ['one', 'two']) await ann.ok('message.send', { room: name, text });
      await ann.event('message.created', ({ message }) => message.text === 'two');
      for (const bot of bots) bot.close();
      await ann.settled();
    });

    const messages = told.filter((what) => (what as EventFrame).event === 'message.created');
    assert.equal(messages.length, 4, 'each was told of each message');
    assert.deepEqual(told.slice(-2), [1000, 1000]);
    assert.equal(logged.length, told.length);
  },
  ONCE,
);

/** Tries to upgrade on each path, as a page of an origin or as no page. */
async function upgradeStatuses(server: TestServer, origin?: string): Promise<number[]> {
  const headers = { host: HOST, ...(origin === undefined ? {} : { origin }) };
  const paths = ['/ws', '/socket.io/?EIO=4&transport=websocket'];
  const answers = paths.map((path) => tryUpgrade(`${server.url}${path}`, headers));
  return (await Promise.all(answers)).map(({ status }) => status);
}

verifies(
  'P-10.5',
  'takes upgrades from pages of its own host, and from programs',
  async ({ server }) => {
    assert(server !== undefined);
    for (const origin of [undefined, `https://${HOST}`, `http://${HOST}`]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [101, 101], origin);
    }
  },
  ONCE,
);

verifies(
  'P-10.5',
  'answers 403 to upgrades from other pages',
  async ({ server }) => {
    assert(server !== undefined);
    const others = ['https://evil.example', `https://x.${HOST}`, `https://${HOST}:8443`, 'null'];
    for (const origin of [...others, `https://${HOST}.evil.example`, 'nonsense']) {
      assert.deepEqual(await upgradeStatuses(server, origin), [403, 403], origin);
    }
  },
  ONCE,
);

verifies(
  ['P-10.5', 'P-2.1'],
  'lets go of the socket of an upgrade that it refused',
  async ({ server }) => {
    assert(server !== undefined);
    const http = server.app.getHttpServer() as Server;
    const sockets = promisify(http.getConnections.bind(http));

    const answers = await Promise.all([
      refusedUpgrade(server.port, '/nowhere'),
      refusedUpgrade(server.port, '/ws', { origin: 'https://evil.example' }),
    ]);
    await eventually(async () => (await sockets()) === 0, 'the end of the sockets');

    assert.match(answers[0].answer, /^HTTP\/1\.1 404 [^]*Nothing speaks WebSocket here\.$/);
    assert.match(answers[1].answer, /^HTTP\/1\.1 403 [^]*may not connect\.$/);
    for (const { socket } of answers) socket.destroy();
  },
  ONCE,
);

verifies(
  'P-10.5',
  'takes pages of its own host and of the listed origins, where there is a list',
  async ({ server }) => {
    assert(server !== undefined);
    for (const origin of [LISTED, `https://${HOST}`, `http://${HOST}`, undefined]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [101, 101], origin);
    }
    for (const origin of [
      `${LISTED}:8443`,
      'http://app.example.org',
      `https://x.${HOST}`,
      'null',
    ]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [403, 403], origin);
    }
  },
  { only: ['in-memory'], settings: { PARLANCE_ORIGINS: LISTED } },
);
