import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

import type { Welcome } from '#src/protocol/welcome.js';

import { eventually } from '../support/eventually.js';
import { ack, openSocketIoPackets, openPackets, packet } from '../support/packets.js';
import { Eio3Polling } from '../support/eio3-polling.js';
import { Polling } from '../support/polling.js';
import { verifies } from './suite.js';

const SOCKET_IO = ['socket.io websocket', 'socket.io polling'];
const BY_HAND = { only: ['socket.io websocket'], settings: {} };

verifies(
  ['P-10.3', 'P-2.10'],
  'treats the auth object as a hello, with protocol 1 by default',
  async ({ connect }) => {
    for (const hello of [{ name: 'ann' }, { protocol: 1, name: 'ann', future: true }]) {
      const ann = await connect({ hello });
      const welcome = await ann.event('welcome');
      assert.equal(welcome.user.name, 'ann');
      await ann.expectError('hello', { protocol: 1 }, 'hello_repeated');
    }
  },
  { only: SOCKET_IO },
);

verifies(
  ['P-10.3', 'P-2.10', 'P-1.4'],
  'reports an invalid auth object in an error event',
  async ({ connect }) => {
    const wrong = [
      [{ protocol: 2 }, 'unsupported_version'],
      [{ name: '' }, 'invalid'],
      [{ token: 'x' }, 'token_invalid'],
    ] as const;

    for (const [hello, code] of wrong) {
      const ann = await connect({ hello });
      const { error, cmd } = await ann.event('error');
      assert.equal(error.code, code);
      assert.equal(cmd, 'hello');
      await ann.ok('hello', { protocol: 1 });
    }
  },
  { only: SOCKET_IO },
);

verifies(
  ['P-10.3', 'P-2.10'],
  'does not treat an empty auth object as a hello',
  async ({ connect }) => {
    const ann = await connect({ hello: {} });

    await ann.expectError('session.ping', {}, 'hello_required');
    await ann.ok('hello', { protocol: 1, name: 'ann' });

    assert.deepEqual(ann.events(), []);
  },
  { only: SOCKET_IO },
);

verifies(
  'P-10.3',
  'acknowledges a command without data',
  async ({ server }) => {
    const raw = await openSocketIoPackets(server?.url ?? '', { name: 'ann' });

    raw.socket.send('421["session.ping"]');
    raw.socket.send('422["session.ping",{}]');

    assert.equal((await ack(raw, 1))['ok'], true);
    assert.deepEqual(Object.keys(await ack(raw, 2)), ['ok', 'data']);
  },
  BY_HAND,
);

verifies(
  ['P-10.3', 'P-4.2'],
  'refuses more than one data argument, and one that is not an object',
  async ({ server }) => {
    const raw = await openSocketIoPackets(server?.url ?? '', { name: 'ann' });
    const wrong = ['{},{}', '{},"more"', '"text"', '5', '[]'];

    for (const [number, values] of wrong.entries()) {
      raw.socket.send(`42${String(number)}["session.ping",${values}]`);
      const { ok, error } = await ack(raw, number);
      assert.equal(ok, false, values);
      assert.equal((error as { code: string }).code, 'invalid', values);
    }
  },
  BY_HAND,
);

verifies(
  ['P-10.3', 'P-3.1'],
  'refuses an event whose name is a number',
  async ({ server }) => {
    const raw = await openSocketIoPackets(server?.url ?? '', { name: 'ann' });

    raw.socket.send('427[5,{}]');

    const { error } = await ack(raw, 7);
    assert.equal((error as { code: string }).code, 'bad_frame');
  },
  BY_HAND,
);

verifies(
  'P-10.3',
  'closes the connection after binary attachments',
  async ({ server }) => {
    const raw = await openSocketIoPackets(server?.url ?? '', { name: 'ann' });
    await packet(raw, '42["welcome"');

    raw.socket.send('451-9["session.ping",{"_placeholder":true,"num":0}]');
    raw.socket.send(Buffer.from([1, 2, 3]));

    await raw.client.end();
    assert(!(raw.client.frames as string[]).some((text) => text.startsWith('439')));
  },
  BY_HAND,
);

verifies(
  'P-10.3',
  'refuses all namespaces except the default one',
  async ({ server }) => {
    const socket = io(`${server?.url ?? ''}/admin`, { reconnection: false, forceNew: true });

    const error = await new Promise<Error>((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('connect', () => reject(new Error('connected')));
    });
    socket.disconnect();

    assert.match(error.message, /namespace/i);
  },
  { only: SOCKET_IO, settings: {} },
);

verifies(
  'P-10.3',
  'keeps the connection when a client upgrades from polling to WebSocket',
  async ({ server, room }) => {
    const options = { forceNew: true, reconnection: false, auth: { name: 'ann' } };
    const socket = io(server?.url ?? '', { ...options, transports: ['polling', 'websocket'] });
    const upgraded = new Promise((resolve) => {
      socket.io.once('open', () => socket.io.engine.once('upgrade', resolve));
    });
    const name = room();
    const texts: string[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message.created', ({ message }: { message: { text: string } }) => {
        if (texts.push(message.text) === 30) resolve();
      });
    });

    await socket.emitWithAck('room.join', { room: name, create: true });
    const send = (text: number) => {
      return socket.emitWithAck('message.send', { room: name, text: String(text) });
    };
    for (let text = 0; text < 15; text++) await send(text);
    await upgraded;
    for (let text = 15; text < 30; text++) await send(text);
    await all;
    socket.disconnect();

    assert.deepEqual(
      texts,
      Array.from({ length: 30 }, (_, index) => String(index)),
    );
  },
  BY_HAND,
);

verifies(
  'P-10.3',
  'serves Engine.IO 3 clients over WebSocket',
  async ({ server }) => {
    const raw = await openPackets(server?.url ?? '', 3);
    await packet(raw, '40');

    raw.socket.send('420["hello",{"protocol":1,"name":"ann"}]');
    const { data } = (await ack(raw, 0)) as { data: Welcome };
    raw.socket.send('2');

    assert.equal(data.user.name, 'ann');
    assert.equal(await packet(raw, '3'), '3');
  },
  BY_HAND,
);

verifies(
  'P-10.3',
  'serves Engine.IO 3 clients over HTTP polling',
  async ({ server }) => {
    const polling = await Eio3Polling.open(server?.url ?? '');
    await polling.until('40');

    const hello = '420["hello",{"protocol":1,"name":"ann"}]';
    assert.equal(await polling.post(hello, '421["session.ping"]'), 200);

    assert.match(await polling.until('430'), /"name":"ann"/);
    assert.match(await polling.until('431'), /"ok":true/);
    assert.equal(await polling.post('41'), 200);
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  ['P-10.3', 'P-2.3'],
  'drops a closed polling session soon, whether or not it is polled',
  async ({ server }) => {
    const silent = await Polling.open(server?.url ?? '');
    const greeted = await Polling.open(server?.url ?? '');
    await greeted.post('40');
    await greeted.poll();

    for (const session of [silent, greeted]) {
      // A request that is in flight during the close is aborted.
      const status = () => session.post('3').catch(() => null);
      await eventually(async () => (await status()) === 400, 'the end of the session');
    }
  },
  { only: ['socket.io polling'], settings: { PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '100' } },
);

verifies(
  'P-10.3',
  'serves the Socket.IO client to browsers',
  async ({ server }) => {
    for (const file of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js']) {
      const response = await fetch(`${server?.url ?? ''}/socket.io/${file}`);
      assert.equal(response.status, 200, file);
      assert.match(response.headers.get('content-type') ?? '', /javascript/);
      assert.match(await response.text(), /Socket\.IO/);
    }
  },
  { only: ['socket.io polling'], settings: {} },
);

verifies(
  ['P-10.3', 'P-10.5'],
  'answers polling requests from other pages with 403, also within a session',
  async ({ server }) => {
    const base = `${server?.url ?? ''}/socket.io/?EIO=4&transport=polling`;
    const foreign = { headers: { origin: 'https://evil.example' } };
    const own = { headers: { origin: server?.url ?? '' } };
    assert.equal((await fetch(base, foreign)).status, 403);

    const opened = await (await fetch(base, own)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    const session = `${base}&sid=${sid}`;

    assert.equal((await fetch(session, { method: 'POST', body: '40', ...foreign })).status, 403);
    assert.equal((await fetch(session, { method: 'POST', body: '40', ...own })).status, 200);
    assert.equal((await fetch(session, foreign)).status, 403);
    await fetch(session, { method: 'POST', body: '1', ...own });
  },
  { only: ['socket.io polling'], settings: {} },
);
