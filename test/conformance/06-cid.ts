import assert from 'node:assert/strict';

import { connectAgain, meet, say } from './meeting.js';
import { readCut, readHistory } from './reading.js';
import { verifies } from './suite.js';

verifies('P-6.3', 'stores one message per cid', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const command = { room, text: 'hi', cid: '€'.repeat(21) };

  const first = await ann.ok('message.send', command);
  const repeat = await ann.ok('message.send', command);
  const onAnother = await (await connectAgain(scene, ann)).ok('message.send', command);
  await bob.roundTrip();

  assert.equal(first.duplicate, false);
  assert.deepEqual(
    { repeat, onAnother },
    { repeat: { ...first, duplicate: true }, onAnother: { ...first, duplicate: true } },
  );
  assert.equal(bob.events('message.created').length, 1);
  assert.equal((await readCut(bob, room)).seq, first.message.seq, 'a repeat writes nothing');
});

verifies('P-6.3', 'answers a repeat with the current state of the message', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const command = { room, text: 'first draft', cid: 'c-1' };
  const { message } = await ann.ok('message.send', command);

  await ann.ok('message.edit', { room, message: message.id, text: 'second draft' });
  const { message: now } = await bob.ok('message.react', {
    room,
    message: message.id,
    emoji: '👍',
  });
  const edited = await ann.ok('message.send', command);
  const asEdited = { ...command, text: 'second draft' };
  await ann.expectError('message.send', asEdited, 'idempotency_conflict');
  const { message: tombstone } = await ann.ok('message.delete', { room, message: message.id });
  const deleted = await ann.ok('message.send', command);

  assert.deepEqual(edited, { message: now, duplicate: true });
  assert.deepEqual(deleted, { message: tombstone, duplicate: true });
  assert.equal(now.text, 'second draft');
});

verifies(['P-6.3', 'P-4.2'], 'refuses a cid that was used for other content', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id } = await say(ann, room, 'question');
  const command = { room, text: 'hi', cid: 'c-1', replyTo: id };
  await ann.ok('message.send', command);
  await say(ann, room, 'without', { cid: 'c-2' });

  for (const other of [
    { ...command, text: 'hi ' },
    { room, text: 'hi', cid: 'c-1' },
    { room, text: 'without', cid: 'c-2', replyTo: id },
  ]) {
    await ann.expectError('message.send', other, 'idempotency_conflict');
  }
  assert.equal((await ann.ok('message.send', command)).duplicate, true);
  assert.equal((await readHistory(ann, room)).length, 3);
});

verifies('P-6.3', 'scopes a cid to its sender and room', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const other = scene.room();
  await ann.ok('room.create', { room: other });
  const message = { text: 'hi', cid: 'c-1' };

  const sent = [
    await ann.ok('message.send', { room, ...message }),
    await bob.ok('message.send', { room, ...message }),
    await ann.ok('message.send', { room: other, ...message }),
  ];
  const unmarked = [await say(ann, room, 'hi'), await say(ann, room, 'hi')];

  assert.deepEqual(
    sent.map(({ duplicate }) => duplicate),
    [false, false, false],
  );
  const ids = [...sent.map((reply) => reply.message.id), ...unmarked.map(({ id }) => id)];
  assert.equal(new Set(ids).size, 5, 'without a cid every command creates a message');
});

verifies('P-6.3', 'does not answer a repeat for a user who has left', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [, bob] = clients;
  const command = { room, text: 'hi', cid: 'c-1' };
  const { message } = await bob.ok('message.send', command);

  await bob.ok('room.leave', { room });
  await bob.expectError('message.send', command, 'not_member');
  await bob.ok('room.join', { room });
  const repeat = await bob.ok('message.send', command);

  assert.deepEqual(repeat, { message, duplicate: true });
});

verifies('P-6.3', 'stores one message for many repeats at the same time', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const connections = [ann];
  while (connections.length < 5) connections.push(await connectAgain(scene, ann));
  const command = { room, text: 'hi', cid: 'c-1' };

  const posted = Array.from({ length: 50 }, (_, index) => {
    const client = connections[index % 5] ?? ann;
    return { client, id: client.post('message.send', command) };
  });
  const replies = await Promise.all(posted.map(({ client, id }) => client.reply(id)));
  await bob.roundTrip();

  const sent = replies.map((reply) => {
    assert(reply.ok, 'every command is answered');
    return reply.data as { message: object; duplicate: boolean };
  });
  assert.equal(sent.filter(({ duplicate }) => !duplicate).length, 1);
  assert.deepEqual(
    sent.map(({ message }) => message),
    Array(50).fill(sent[0]?.message),
  );
  assert.equal((await readHistory(bob, room)).length, 1);
  assert.equal(bob.events('message.created').length, 1);
});

verifies(
  ['P-6.3', 'P-9.10'],
  'accepts a repeat beyond the message rate',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const command = { room, text: 'hi', cid: 'c-1' };
    await ann.ok('message.send', command);

    await ann.expectError('message.send', { room, text: 'new', cid: 'c-2' }, 'rate_limited');
    const repeats = [await ann.ok('message.send', command), await ann.ok('message.send', command)];
    const other = { ...command, text: 'other' };
    await ann.expectError('message.send', other, 'idempotency_conflict');

    assert.deepEqual(
      repeats.map(({ duplicate }) => duplicate),
      [true, true],
    );
  },
  {
    settings: {
      PARLANCE_LIMIT_MESSAGES_BURST: '1',
      PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1',
    },
  },
);

verifies(
  ['P-6.3', 'P-5.12'],
  'remembers a cid after a server restart',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const command = { room, text: 'hi', cid: 'c-1' };
    const { message } = await ann.ok('message.send', command);
    assert(scene.server !== undefined, 'the server is in this process');

    await scene.server.stop();
    const later = await scene.start(scene.server.env);
    const back = await later.connect();
    await back.ok('hello', { protocol: 1, token: ann.welcome.token });
    const repeat = await back.ok('message.send', command);
    await back.expectError('message.send', { ...command, text: 'other' }, 'idempotency_conflict');

    assert.deepEqual(repeat, { message, duplicate: true });
  },
  { settings: {} },
);
