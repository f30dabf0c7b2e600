import assert from 'node:assert/strict';

import { HeldWriter } from '../support/held-writer.js';
import { connectAgain, meet, say } from './meeting.js';
import { checkRate, waitOut } from './rate.js';
import { range } from './reading.js';
import { verifies } from './suite.js';

const SLOW_MESSAGES = {
  PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1',
  PARLANCE_LIMIT_MESSAGES_BURST: '3',
};
const SLOW_COMMANDS = {
  PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1',
  PARLANCE_LIMIT_COMMANDS_BURST: '4',
};

verifies(
  ['P-9.10', 'P-6.2', 'P-4.2', 'P-4.1'],
  'limits the messages of a user',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const annToo = await connectAgain(scene, ann);
    await say(ann, room, 'one');
    await say(annToo, room, 'two');
    await say(ann, room, 'three');

    const error = await annToo.expectError('message.send', { room, text: 'four' }, 'rate_limited');
    const wait = checkRate(error, 'messages');
    await say(bob, room, 'others may');
    await waitOut(wait);
    await say(ann, room, 'five');

    assert(wait <= 1_000, `${String(wait)} ms for one message a second`);
    await ann.roundTrip();
    const texts = ann.events('message.created').map(({ data }) => data['message']);
    assert.deepEqual(
      texts.map((message) => (message as { text: string }).text),
      ['one', 'two', 'three', 'others may', 'five'],
    );
  },
  { settings: SLOW_MESSAGES },
);

verifies(
  ['P-9.10', 'P-6.3'],
  'charges nothing for a repeat',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const repeat = { room, text: 'one', cid: 'c-1' };

    for (const nothing of range(1, 6)) {
      const { duplicate } = await ann.ok('message.send', repeat);
      assert.equal(duplicate, nothing > 1);
    }
    await say(ann, room, 'two');
    await say(ann, room, 'three');
    await ann.expectError('message.send', { room, text: 'four' }, 'rate_limited');
  },
  { settings: SLOW_MESSAGES },
);

verifies(
  'P-9.10',
  'counts edits, reactions and deletes as messages',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const { id: message } = await say(ann, room, 'one');

    await ann.ok('message.edit', { room, message, text: 'a' });
    await ann.ok('message.react', { room, message, emoji: '👍' });
    for (const [cmd, data] of [
      ['message.edit', { room, message, text: 'b' }],
      ['message.react', { room, message, emoji: '🎉' }],
      ['message.unreact', { room, message, emoji: '👍' }],
      ['message.delete', { room, message }],
    ] as const) {
      checkRate(await ann.expectError(cmd, data, 'rate_limited'), 'messages');
    }
  },
  { settings: SLOW_MESSAGES },
);

verifies(
  'P-9.10',
  'applies the rate per user, also after the user reconnects',
  async (scene) => {
    const ann = await scene.join('ann');
    await ann.ok('room.create', { room: scene.room() });
    await ann.ok('room.join', { room: scene.room(), create: true });

    await ann.close();
    const back = await connectAgain(scene, ann);
    const data = { room: scene.room() };
    const error = await back.expectError('room.create', data, 'rate_limited');

    checkRate(error, 'rooms');
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_HOUR: '2' } },
);

verifies(
  ['P-9.10', 'P-5.2', 'P-5.4', 'P-4.2'],
  'limits how many rooms a user creates',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const [first, second, third] = [scene.room(), scene.room(), scene.room()];
    await ann.ok('room.create', { room: first });
    await ann.expectError('room.create', { room: first }, 'room_exists');
    await ann.ok('room.join', { room: second, create: true });

    const created = await ann.expectError('room.create', { room: third }, 'rate_limited');
    const join = { room: third, create: true };
    const joined = await ann.expectError('room.join', join, 'rate_limited');
    await ann.expectError('room.join', { room: third }, 'not_found');
    await ann.ok('room.join', { room: 'general', create: true });
    await bob.ok('room.join', join);
    await ann.ok('room.join', join);

    for (const error of [created, joined]) {
      const wait = checkRate(error, 'rooms');
      assert(wait > 60_000 && wait <= 1_800_000, `${String(wait)} ms for two rooms an hour`);
    }
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_HOUR: '2' } },
);

verifies(
  ['P-9.10', 'P-8.2', 'P-4.2'],
  'limits the renames of a user',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const annToo = await connectAgain(scene, ann);
    await ann.ok('user.update', { name: 'anna' });
    await annToo.ok('user.update', { name: 'anna' });
    await annToo.ok('user.update', { name: 'anne' });

    const error = await ann.expectError('user.update', { name: 'annie' }, 'rate_limited');
    await ann.ok('user.update', { name: 'anne' });
    await bob.ok('user.update', { name: 'robert' });
    await ann.close();
    await annToo.close();
    const back = await connectAgain(scene, ann);
    await back.expectError('user.update', { name: 'annie' }, 'rate_limited');

    const wait = checkRate(error, 'renames');
    assert(wait > 60_000 && wait <= 1_800_000, `${String(wait)} ms for two renames an hour`);
    const { user } = await bob.ok('user.get', { user: ann.welcome.user.id });
    assert.equal(user.name, 'anne');
    assert.equal(annToo.events('user.updated').length, 2);
  },
  { settings: { PARLANCE_LIMIT_RENAMES_PER_HOUR: '2' } },
);

verifies(
  ['P-9.10', 'P-3.3', 'P-4.2'],
  'limits the commands of a connection',
  async (scene) => {
    const ann = await scene.join('ann');
    await ann.roundTrip();
    await ann.expectError('room.get', { room: scene.room() }, 'not_found');
    await ann.roundTrip();

    const error = await ann.expectError('session.ping', {}, 'rate_limited');
    const annToo = await connectAgain(scene, ann);
    await annToo.roundTrip();
    const wait = checkRate(error, 'commands');
    await waitOut(wait);
    await ann.roundTrip();

    assert(wait <= 1_000, `${String(wait)} ms for one command a second`);
  },
  { settings: SLOW_COMMANDS },
);

verifies(
  ['P-9.10', 'P-6.3'],
  'answers a repeat when other commands are refused',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const command = { room, text: 'hi', cid: 'c-1' };
    const { message } = await ann.ok('message.send', command);
    await ann.roundTrip();

    const ids = [
      ann.post('message.send', { room, text: 'new', cid: 'c-2' }),
      ann.post('message.send', command),
      ann.post('session.ping'),
    ];
    const [fresh, repeat, ping] = await Promise.all(ids.map((id) => ann.reply(id)));

    for (const refused of [fresh, ping]) {
      assert(refused !== undefined && !refused.ok, 'it is refused');
      checkRate(refused.error, 'commands');
    }
    assert(repeat?.ok === true, 'the repeat is answered');
    assert.deepEqual(repeat.data, { message, duplicate: true });
  },
  { settings: SLOW_COMMANDS },
);

verifies(
  ['P-9.10', 'P-3.3', 'P-2.2'],
  'checks the rate before anything else',
  async (scene) => {
    const ann = await scene.connect();

    const taken = range(1, 4).map(() => ann.post('session.ping'));
    const nested = { future: [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]] };
    const wrong = [
      ann.post('session.ping'),
      ann.post('no.command'),
      ann.post('room.get', { room: 5 }),
      ann.post('session.ping', nested),
      ann.post('message.send', { cid: 'c-1' }),
      ann.post('hello', { protocol: 'one' }),
      ann.post('hello', { protocol: 1 }),
    ];

    for (const id of taken) {
      const reply = await ann.reply(id);
      assert.equal(reply.ok ? '' : reply.error.code, 'hello_required');
    }
    for (const id of wrong) {
      const reply = await ann.reply(id);
      assert(!reply.ok, 'it is refused');
      assert.equal(reply.error.code, 'rate_limited');
      checkRate(reply.error, 'commands');
    }
  },
  { settings: SLOW_COMMANDS },
);

verifies(
  ['P-9.10', 'P-6.3'],
  'queries the database only when the message may be a repeat',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const repeat = { room, text: 'one', cid: 'c-1' };
    await ann.ok('message.send', repeat);
    await say(ann, room, 'two');
    await say(ann, room, 'three');

    const held = await HeldWriter.hold(scene.server);
    const error = await ann.expectError('message.send', { room, text: 'four' }, 'rate_limited');
    const asked = ann.post('message.send', repeat);
    await held.untilQueued(1);
    held.release();
    const reply = await ann.reply(asked);
    await bob.roundTrip();

    checkRate(error, 'messages');
    assert(reply.ok, 'the repeat is answered');
    assert.equal((reply.data as { duplicate: boolean }).duplicate, true);
  },
  { settings: SLOW_MESSAGES },
);
