import assert from 'node:assert/strict';

import { connectAgain, meet, say } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifies } from './suite.js';

const BLANK = ['', ' ', '\n\t ', '\u00a0\u2003'];

verifies(
  ['P-6.1', 'P-6.2', 'P-6.4'],
  'stores a message and sends it to all members',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    const sent = await ann.ok('message.send', { room: room.toUpperCase(), text: 'hi', cid: 'c-1' });
    const events = [await ann.event('message.created'), await bob.event('message.created')];

    const { id, at } = sent.message;
    assert.deepEqual(sent, {
      duplicate: false,
      message: {
        id,
        room,
        seq: 4,
        sender: ann.welcome.user,
        text: 'hi',
        at,
        cid: 'c-1',
        reactions: [],
      },
    });
    assert(
      Number.isInteger(at) && id.length >= 1 && id.length <= 64,
      'ids and times are well formed',
    );
    for (const event of events) {
      assert.deepEqual(event, { room, seq: 4, at, message: sent.message });
    }
    assert.deepEqual(await readHistory(bob, room), [sent.message]);
  },
);

verifies('P-6.1', 'omits fields that a message does not have', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;

  const message = await say(ann, room, 'hi');

  const fields = ['id', 'room', 'seq', 'sender', 'text', 'at', 'reactions'];
  assert.deepEqual(Object.keys(message).toSorted(), fields.toSorted());
});

verifies('P-6.4', 'sends a message to every attached connection of its sender', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const attached = await connectAgain(scene, ann);
  await attached.ok('room.join', { room });
  const other = await connectAgain(scene, ann);

  const message = await say(ann, room, 'hi');
  const events = [await ann.event('message.created'), await attached.event('message.created')];
  await other.roundTrip();

  assert.deepEqual(
    events.map((event) => event.message),
    [message, message],
  );
  assert.deepEqual(other.events(), []);
});

verifies('P-6.2', 'stores the text as it was sent', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const texts = ['  two spaces \n', 'e\u0301 ﬁ', 'a\u0007b', '👩‍👩‍👧 𐐀', '{"event":"bye"}', 'a\u2028b'];

  const sent = [];
  for (const text of texts) sent.push((await say(ann, room, text)).text);
  const lone = await say(ann, room, 'a\ud800b\udc00');

  assert.deepEqual(sent, texts);
  assert.equal(lone.text, 'a\ufffdb\ufffd', 'a lone surrogate is replaced');
  assert.deepEqual(
    (await readHistory(ann, room)).map(({ text }) => text),
    [...texts, lone.text],
  );
});

verifies(['P-6.2', 'P-3.3'], 'refuses U+0000 in any field', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const nul = 'a\u0000b';
  const message = await say(ann, room, 'hi');

  await ann.expectError('message.send', { room, text: nul }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', cid: nul }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', replyTo: nul }, 'invalid');
  await ann.expectError('message.edit', { room, message: message.id, text: nul }, 'invalid');
  await ann.expectError('message.delete', { room, message: nul }, 'invalid');
  await ann.expectError('message.status', { room, cid: nul }, 'invalid');
  await ann.expectError('user.get', { user: nul }, 'invalid');
  await ann.expectError('room.list', { after: nul }, 'invalid');
});

verifies(['P-6.2', 'P-6.12', 'P-4.2'], 'refuses invalid messages', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const cem = await scene.join('cem');

  for (const text of BLANK) await ann.expectError('message.send', { room, text }, 'invalid');
  await ann.expectError('message.send', { room }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', cid: '' }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', cid: 'c'.repeat(65) }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', cid: '€'.repeat(22) }, 'invalid');
  await ann.expectError('message.send', { room, text: 'hi', sender: 'ann' }, 'invalid');
  await cem.expectError('message.send', { room, text: 'hi' }, 'not_member');
  await ann.expectError('message.send', { room: scene.room(), text: 'hi' }, 'not_found');
  await bob.roundTrip();
  assert.deepEqual(bob.events('message.created'), []);
});

verifies(
  ['P-6.5', 'P-6.6', 'P-4.2'],
  'accepts replies to and causes of messages in the same room',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const other = scene.room();
    await ann.ok('room.create', { room: other });
    const elsewhere = await say(ann, other, 'elsewhere');
    const question = await say(ann, room, 'question');

    const answer = await say(bob, room, 'answer', { replyTo: question.id });
    const made = await say(bob, room, 'made by it', { cause: question.id });
    await ann.ok('message.delete', { room, message: question.id });
    const late = await say(bob, room, 'late', { replyTo: question.id });
    for (const field of ['replyTo', 'cause']) {
      await bob.expectError(
        'message.send',
        { room, text: 'hi', [field]: elsewhere.id },
        'not_found',
      );
      await bob.expectError(
        'message.send',
        { room, text: 'hi', [field]: 'no-message' },
        'not_found',
      );
    }
    const history = await readHistory(ann, room);
    const log = await readLog(ann, room, { epoch: (await readCut(ann, room)).epoch, seq: 4 });

    assert.deepEqual(
      { replyTo: answer.replyTo, cause: answer.cause },
      { replyTo: question.id, cause: undefined },
    );
    assert.deepEqual(
      { replyTo: made.replyTo, cause: made.cause },
      { replyTo: undefined, cause: question.id },
    );
    assert.deepEqual(
      history.slice(1),
      [answer, made, late],
      'the reference stays when its message is deleted',
    );
    const created = log.filter(({ event }) => event === 'message.created');
    assert.deepEqual(
      created.map(({ data }) => ('message' in data ? data.message : undefined)),
      history.slice(1),
    );
  },
);

verifies(['P-6.13', 'P-6.12'], 'returns the current state of a message', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id: message } = await say(ann, room, 'hi');
  const edited = await ann.ok('message.edit', { room, message, text: 'hello' });
  const reacted = await bob.ok('message.react', { room, message, emoji: '👍' });
  const seen = await bob.ok('message.get', { room: room.toUpperCase(), message });
  const { message: tombstone } = await ann.ok('message.delete', { room, message });

  assert.deepEqual(seen.message, { ...edited.message, reactions: reacted.message.reactions });
  assert.deepEqual(await bob.ok('message.get', { room, message }), { message: tombstone });
  await bob.expectError('message.get', { room, message: 'nothing' }, 'not_found');
  await bob.expectError('message.get', { room: '@me', message }, 'forbidden');
  await bob.expectError('message.get', { room: scene.room(), message }, 'not_found');
  const other = await meet(scene, 'cyd');
  await bob.expectError('message.get', { room: other.room, message }, 'not_member');
  await other.clients[0].expectError('message.get', { room: other.room, message }, 'not_found');
});
