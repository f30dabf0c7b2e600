import assert from 'node:assert/strict';

import { verifies } from './suite.js';

const CLOCK_TOLERANCE_MS = 60_000;

verifies(
  'P-1.1',
  'sends only replies and events, each identified by its own field',
  async ({ join, room }) => {
    const ann = await join('ann');
    const name = room();

    await ann.ok('room.join', { room: name, create: true });
    await ann.ok('message.send', { room: name, text: 'hi' });
    await ann.event('message.created');

    for (const frame of ann.frames as Record<string, unknown>[]) {
      const kinds = ['cmd', 're', 'event'].filter((field) => field in frame);
      assert.equal(kinds.length, 1, JSON.stringify(frame));
      assert.notEqual(kinds[0], 'cmd');
    }
  },
);

verifies('P-1.1', 'carries text of any script unharmed', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();
  const text = 'žluťoučký 漢字 العربية 👩‍👩‍👧‍👦 \u2028 " \\ \u0001 𝒳';
  await ann.ok('room.join', { room: name, create: true });

  const { message } = await ann.ok('message.send', { room: name, text });
  const created = await ann.event('message.created');

  assert.equal(message.text, text);
  assert.equal(created.message.text, text);
});

verifies(
  'P-1.3',
  'generates ids that are strings of 1 to 64 characters',
  async ({ join, room }) => {
    const ann = await join('ann');
    const name = room();
    const cut = await ann.ok('room.join', { room: name, create: true });
    const { message } = await ann.ok('message.send', { room: name, text: 'hi' });
    const hello = (await ann.reply('c1')) as unknown as { data: { session: string } };

    for (const id of [hello.data.session, cut.you.user.id, message.id, message.sender.id]) {
      assert.equal(typeof id, 'string');
      assert(id.length >= 1 && id.length <= 64, id);
    }
  },
);

verifies(
  'P-1.3',
  'returns times as integers, in milliseconds since 1970',
  async ({ join, room }) => {
    const ann = await join('ann');
    const name = room();

    const cut = await ann.ok('room.join', { room: name, create: true });
    const { message } = await ann.ok('message.send', { room: name, text: 'hi' });
    const created = await ann.event('message.created');
    const { at } = await ann.ok('session.ping', {});

    for (const time of [cut.info.createdAt, cut.you.joinedAt, message.at, created.at, at]) {
      assert(Number.isInteger(time), String(time));
      assert(Math.abs(time - Date.now()) < CLOCK_TOLERANCE_MS, String(time));
    }
  },
);

verifies('P-1.4', 'refuses an unsupported version, and lists the supported ones', async (scene) => {
  const ann = await scene.connect();

  for (const protocol of [0, 2, 99]) {
    const error = await ann.expectError('hello', { protocol }, 'unsupported_version');
    assert.deepEqual(error.details?.['supported'], [1]);
  }
});

verifies(
  'P-1.4',
  'accepts a hello of protocol 1 after one of another version failed',
  async ({ connect }) => {
    const ann = await connect();
    await ann.expectError('hello', { protocol: 2, name: 'ann' }, 'unsupported_version');

    const welcome = await ann.ok('hello', { protocol: 1, name: 'ann' });

    assert.equal(welcome.protocol, 1);
  },
);

verifies('P-1.4', 'announces additions by name in the welcome', async ({ connect }) => {
  const ann = await connect();

  const { features } = await ann.ok('hello', { protocol: 1 });

  assert(Array.isArray(features));
  for (const feature of features) assert.equal(typeof feature, 'string');
});
