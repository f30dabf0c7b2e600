import assert from 'node:assert/strict';

import { say } from './meeting.js';
import { readCut } from './reading.js';
import { verifies } from './suite.js';

const SOCKET_IO = ['socket.io websocket', 'socket.io polling'];
/** What a client of the program broadcast gets when it has said nothing for a second. */
const GREETED = 'message' as never;

verifies(
  ['P-10.7', 'P-2.3'],
  'lets who says nothing listen to the default room, until it says hello',
  async ({ connect, join }) => {
    const silent = await connect();
    const ann = await join('ann');
    await ann.ok('room.join', { room: 'general' });
    await silent.event(GREETED);
    const heard = await say(ann, 'general', 'hi');
    await silent.event('message receive' as never);
    const { presence, memberCount } = await readCut(ann, 'general');
    assert.deepEqual([presence.count, memberCount], [1, 1], 'an observer is nobody');

    await silent.ok('hello', { protocol: 1, name: 'bob' });
    const { messages } = await silent.ok('room.join', { room: 'general' });
    assert.equal(messages.at(-1)?.id, heard.id);
    const next = await say(ann, 'general', 'again');

    const { message } = await silent.event('message.created');
    assert.equal(message.id, next.id);
    assert.equal(silent.events('message receive').length, 1, 'as an event of the protocol alone');
  },
  { only: SOCKET_IO, settings: {} },
);

verifies(
  'P-10.7',
  'speaks a dialect from its first event on',
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
  'speaks none after a command, nor after credentials',
  async ({ connect }) => {
    for (const hello of [undefined, { name: 'ann' }]) {
      const ann = await connect(hello === undefined ? {} : { hello });
      if (hello === undefined) await ann.ok('hello', { protocol: 1, name: 'ann' });
      await ann.refused('message broadcast', { message: 'hi' }, 'unknown_command');
    }
  },
  { only: SOCKET_IO },
);

verifies(
  'P-10.7',
  'refuses an event of nobody, which decides nothing',
  async ({ connect }) => {
    const ann = await connect();
    await ann.refused('fly', {}, 'unknown_command');
    await ann.ok('hello', { protocol: 1, name: 'ann' });
  },
  { only: SOCKET_IO },
);
