import assert from 'node:assert/strict';

import { say } from './meeting.js';
import { readCut } from './reading.js';
import { verifies } from './suite.js';

const SOCKET_IO = ['socket.io websocket', 'socket.io polling'];
/** Event that the dialect broadcast sends to a client that is silent for a second. */
const GREETING = 'message' as never;

verifies(
  ['P-10.7', 'P-2.3'],
  'lets a silent client listen to the default room until it says hello',
  async ({ connect, join }) => {
    const silent = await connect();
    const ann = await join('ann');
    await ann.ok('room.join', { room: 'general' });
    await silent.event(GREETING);
    const heard = await say(ann, 'general', 'hi');
    await silent.event('message receive' as never);
    const { presence, memberCount } = await readCut(ann, 'general');
    assert.deepEqual(
      { online: presence.count, memberCount },
      { online: 1, memberCount: 1 },
      'an observer is not counted',
    );

    await silent.ok('hello', { protocol: 1, name: 'bob' });
    const { messages } = await silent.ok('room.join', { room: 'general' });
    assert.equal(messages.at(-1)?.id, heard.id);
    const next = await say(ann, 'general', 'again');

    const { message } = await silent.event('message.created');
    assert.equal(message.id, next.id);
    assert.equal(silent.events('message receive').length, 1, 'only as an event of the protocol');
  },
  { only: SOCKET_IO, settings: {} },
);

verifies(
  'P-10.7',
  'speaks a dialect from its first event',
  async ({ connect }) => {
    const old = await connect();
    old.send({ cmd: 'message broadcast', data: { message: 'hi' } });
    const event = (await old.event('message receive' as never)) as { message: string };
    assert.equal(event.message, 'hi');
    assert.deepEqual(old.events('message.created'), []);
    assert.deepEqual(old.events('welcome'), []);
  },
  { only: SOCKET_IO, settings: {} },
);

verifies(
  'P-10.7',
  'speaks no dialect after a command or credentials',
  async ({ connect }) => {
    for (const hello of [undefined, { name: 'ann' }]) {
      const ann = await connect(hello === undefined ? {} : { hello });
      if (hello === undefined) await ann.ok('hello', { protocol: 1, name: 'ann' });
      await ann.expectError('message broadcast', { message: 'hi' }, 'unknown_command');
    }
  },
  { only: SOCKET_IO },
);

verifies(
  'P-10.7',
  'refuses an unknown event, which selects no dialect',
  async ({ connect }) => {
    const ann = await connect();
    await ann.expectError('fly', {}, 'unknown_command');
    await ann.ok('hello', { protocol: 1, name: 'ann' });
  },
  { only: SOCKET_IO },
);
