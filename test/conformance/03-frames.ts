import assert from 'node:assert/strict';

import type { Reply } from '../support/client.js';
import { openRaw } from '../support/raw-websocket.js';
import { verifies } from './suite.js';

// Socket.IO has its own frames; its parser refuses malformed ones (P-10.3).
const FRAMES = ['websocket', 'in-memory'];

verifies(
  'P-3.1',
  'refuses a command with other fields, or without a name, in a reply',
  async ({ join }) => {
    const ann = await join('ann');
    const wrong = [
      { id: 'a', cmd: 'session.ping', data: {}, extra: 1 },
      { id: 'b', cmd: 'session.ping', re: 'b' },
      { id: 'c', cmd: 5 },
      { id: 'd', data: {} },
      { id: 8 },
    ];

    for (const frame of wrong) {
      ann.send(frame);
      const reply = await ann.reply(frame.id);
      assert(!reply.ok && reply.error.code === 'bad_frame', JSON.stringify(reply));
    }

    await ann.roundTrip();
  },
  { only: FRAMES },
);

verifies(
  ['P-3.1', 'P-3.2', 'P-3.8'],
  'refuses a malformed id in an error event',
  async ({ join }) => {
    const ann = await join('ann');

    for (const id of ['', 'x'.repeat(65), '€'.repeat(22), 1.5, 2 ** 53, null, true, ['a'], {}]) {
      ann.send({ id, cmd: 'session.ping', data: {} });
      const { error, cmd } = await ann.event('error');
      assert.equal(error.code, 'bad_frame', JSON.stringify(id));
      assert.equal(cmd, undefined);
      await ann.roundTrip();
    }

    assert.equal((ann.frames as Reply[]).filter(({ re }) => re !== undefined).length, 10);
  },
  { only: FRAMES },
);

verifies(
  ['P-3.8', 'P-4.3'],
  'answers a malformed frame with an error event, without any other effect',
  async ({ join }) => {
    const ann = await join('ann');

    for (const frame of [[], ['session.ping'], 5, null, true, {}, { cmd: null }, { event: 'x' }]) {
      ann.send(frame);
      const { error } = await ann.event('error');
      assert.equal(error.code, 'bad_frame', JSON.stringify(frame));
      await ann.roundTrip();
    }
  },
  { only: FRAMES },
);

verifies(
  'P-3.8',
  'answers a text that is not JSON with an error event',
  async ({ join }) => {
    const ann = await join('ann');

    for (const text of ['', 'hello', '{', '{"cmd":"session.ping"', '{"cmd":"session.ping"}{}']) {
      ann.send(text);
      const { error } = await ann.event('error');
      assert.equal(error.code, 'bad_frame', text);
      await ann.roundTrip();
    }
  },
  { only: ['websocket'] },
);

verifies(
  'P-3.8',
  'answers a malformed frame even before hello',
  async ({ connect }) => {
    const ann = await connect();

    ann.send([]);

    assert.equal((await ann.event('error')).error.code, 'bad_frame');
    await ann.ok('hello', { protocol: 1 });
  },
  { only: FRAMES },
);

verifies(
  ['P-3.8', 'P-4.5'],
  'closes with 4001 after badFrames of them in a row, with replies counted',
  async ({ join }) => {
    const ann = await join('ann');
    for (const frame of [[], { id: 1 }]) ann.send(frame);
    await ann.roundTrip();
    for (const frame of [[], { id: 2 }]) ann.send(frame);
    await ann.roundTrip();
    assert.equal(ann.events('bye').length, 0);

    for (const frame of [[], { id: 3 }, []]) ann.send(frame);
    const bye = await ann.event('bye');

    assert.equal(bye.code, 4001);
    assert.equal(bye.reconnect, false);
    assert.equal((await ann.end()).code, 4001);
    assert.equal(ann.events('error').length, 4);
  },
  { only: FRAMES, settings: { PARLANCE_LIMIT_BAD_FRAMES: '3' } },
);

verifies(
  ['P-3.8', 'P-4.6'],
  'closes with 1003 and without bye after a binary frame',
  async ({ server }) => {
    const { client, socket } = await openRaw(`ws://127.0.0.1:${String(server?.port)}/ws`);
    await client.ok('hello', { protocol: 1 });

    socket.send(Buffer.from('{"id":1,"cmd":"session.ping","data":{}}'));

    assert.equal((await client.end()).code, 1003);
    assert.deepEqual(client.events('bye'), []);
  },
  { only: ['websocket'], settings: {} },
);
