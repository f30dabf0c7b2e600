import assert from 'node:assert/strict';

import { openRaw, tryUpgrade } from '../support/raw-websocket.js';
import { verifies, type Scene } from './suite.js';

const WEBSOCKET = { only: ['websocket'], settings: {} };

const urlOf = ({ server }: Pick<Scene, 'server'>) => `ws://127.0.0.1:${String(server?.port)}/ws`;

/** Offers subprotocols; returns the one that the server selected, if any. */
async function selectedSubprotocol(scene: Scene, offer?: string): Promise<string | undefined> {
  const headers = offer === undefined ? {} : { 'Sec-WebSocket-Protocol': offer };
  const answer = await tryUpgrade(urlOf(scene).replace('ws:', 'http:'), headers);
  assert.equal(answer.status, 101);
  return answer.headers['sec-websocket-protocol'];
}

verifies(
  'P-10.2',
  'selects the subprotocol parlance.v1 when the client offers it',
  async (scene) => {
    assert.equal(await selectedSubprotocol(scene, 'parlance.v1'), 'parlance.v1');
    assert.equal(await selectedSubprotocol(scene, 'chat, parlance.v2, parlance.v1'), 'parlance.v1');
  },
  WEBSOCKET,
);

verifies(
  'P-10.2',
  'selects no subprotocol when the client offers no known one',
  async (scene) => {
    assert.equal(await selectedSubprotocol(scene), undefined);
    assert.equal(await selectedSubprotocol(scene, 'chat, superchat'), undefined);
  },
  WEBSOCKET,
);

verifies(
  'P-10.2',
  'serves a client that offers no subprotocol',
  async (scene) => {
    const { client, socket } = await openRaw(urlOf(scene));

    await client.ok('hello', { protocol: 1 });

    assert.equal(socket.protocol, '');
  },
  WEBSOCKET,
);

verifies(
  ['P-10.2', 'P-2.1', 'P-4.5'],
  'opens with an unsupported version, sends bye 4002, and closes',
  async (scene) => {
    const subprotocols = ['parlance.v9', 'chat'];
    const { client, socket } = await openRaw(urlOf(scene), { subprotocols });

    const bye = await client.event('bye');

    assert.equal(socket.protocol, 'parlance.v9');
    assert.equal(bye.code, 4002);
    assert.equal(bye.reconnect, false);
    assert.deepEqual(await client.end(), { code: 4002, reason: bye.reason });
  },
  WEBSOCKET,
);

verifies(
  'P-10.2',
  'negotiates no compression',
  async (scene) => {
    const { client, socket } = await openRaw(urlOf(scene), { perMessageDeflate: true });

    await client.ok('hello', { protocol: 1 });

    assert.equal(socket.extensions, '');
  },
  WEBSOCKET,
);

verifies(
  'P-10.2',
  'sends each frame as one text message',
  async (scene) => {
    const { client, socket } = await openRaw(urlOf(scene));
    const kinds: boolean[] = [];
    socket.on('message', (_data, isBinary) => kinds.push(isBinary));

    await client.ok('hello', { protocol: 1 });
    await client.ok('room.join', { room: scene.room(), create: true });
    await client.roundTrip();

    assert.equal(kinds.length, client.frames.length);
    assert(kinds.every((isBinary) => !isBinary));
  },
  WEBSOCKET,
);

verifies(
  ['P-10.2', 'P-9.2'],
  'accepts a frame in fragments',
  async (scene) => {
    const { client, socket } = await openRaw(urlOf(scene));

    socket.send('{"id":"a","cmd":"hel', { fin: false });
    socket.send('lo","data":{"prot', { fin: false });
    socket.send('ocol":1}}', { fin: true });

    assert((await client.reply('a')).ok);
  },
  WEBSOCKET,
);

verifies(
  ['P-10.2', 'P-2.10'],
  'treats a name in the URL as a hello',
  async (scene) => {
    const { client } = await openRaw(`${urlOf(scene)}?name=J%C3%B6rg%20B&other=1`);

    const { user, protocol } = await client.event('welcome');

    assert.equal(user.name, 'Jörg B');
    assert.equal(protocol, 1);
  },
  WEBSOCKET,
);

verifies(
  ['P-10.2', 'P-2.10'],
  'treats a token in the Authorization header as a hello',
  async (scene) => {
    const before = await (await scene.connect()).ok('hello', { protocol: 1, name: 'ann' });
    const headers = { Authorization: `Bearer ${before.token ?? ''}` };

    const { client } = await openRaw(urlOf(scene), { headers });

    assert.deepEqual((await client.event('welcome')).user, before.user);
  },
  WEBSOCKET,
);
