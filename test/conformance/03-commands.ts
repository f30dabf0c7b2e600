import assert from 'node:assert/strict';

import type { Reply, TestClient } from '../support/client.js';
import { verifies } from './suite.js';

/** Returns the ids of the replies so far, in order of arrival. */
function repliesOf(client: TestClient): unknown[] {
  return (client.frames as Reply[]).filter(({ re }) => re !== undefined).map(({ re }) => re);
}

/** Returns the error codes of replies; undefined for successful ones. */
async function codesOf(client: TestClient, ids: readonly unknown[]): Promise<unknown[]> {
  const replies = await Promise.all(ids.map((id) => client.reply(id)));
  return replies.map((reply) => (reply.ok ? undefined : reply.error.code));
}

verifies('P-2.11', 'queues commands while a hello is in progress', async ({ connect, room }) => {
  const ann = await connect();
  const name = room();

  const ids = [
    ann.post('hello', { protocol: 1, name: 'ann' }),
    ann.post('room.join', { room: name, create: true }),
    ann.post('message.send', { room: name, text: 'hi' }),
  ];

  assert.deepEqual(await codesOf(ann, ids), [undefined, undefined, undefined]);
  assert.deepEqual(repliesOf(ann), ids);
});

verifies(
  'P-2.11',
  'refuses commands queued behind a failed hello until one succeeds',
  async ({ connect }) => {
    const ann = await connect();

    const ids = [
      ann.post('hello', { protocol: 1, token: 'not-a-token' }),
      ann.post('session.ping'),
      ann.post('hello', { protocol: 1 }),
      ann.post('session.ping'),
    ];

    const codes = ['token_invalid', 'hello_required', undefined, undefined];
    assert.deepEqual(await codesOf(ann, ids), codes);
  },
);

verifies('P-2.11', 'refuses a hello after one that succeeded', async ({ connect }) => {
  const ann = await connect();

  const ids = [ann.post('hello', { protocol: 1 }), ann.post('hello', { protocol: 1 })];

  assert.deepEqual(await codesOf(ann, ids), [undefined, 'hello_repeated']);
  await ann.roundTrip();
});

verifies('P-3.1', 'treats absent data and null as empty data', async ({ join }) => {
  const ann = await join('ann');

  ann.send({ id: 'a', cmd: 'session.ping' });
  ann.send({ id: 'b', cmd: 'session.ping', data: null });

  assert((await ann.reply('a')).ok);
  assert((await ann.reply('b')).ok);
});

verifies(
  'P-3.2',
  'sends one reply with the same id for each command with an id',
  async ({ join }) => {
    const ann = await join('ann');
    const ids = ['x', 'é'.repeat(32), 'x'.repeat(64), 0, -5, 2 ** 53 - 1, -(2 ** 53 - 1), '0'];

    for (const id of ids) ann.send({ id, cmd: 'session.ping', data: {} });
    ann.send({ id: 'bad', cmd: 'no.command', data: {} });
    await ann.reply('bad');
    await ann.roundTrip();

    assert.deepEqual(repliesOf(ann).slice(1, -1), [...ids, 'bad']);
  },
);

verifies('P-3.2', 'replies to each of several commands with the same id', async ({ join }) => {
  const ann = await join('ann');

  for (let count = 0; count < 3; count++) ann.send({ id: 7, cmd: 'session.ping', data: {} });
  await ann.roundTrip();

  assert.equal(repliesOf(ann).filter((re) => re === 7).length, 3);
});

verifies('P-3.3', 'refuses a command that does not exist', async ({ join }) => {
  const ann = await join('ann');

  for (const name of [
    'room.frobnicate',
    'message',
    '',
    'toString',
    '__proto__',
    'bye',
    'welcome',
  ]) {
    await ann.expectError(name, {}, 'unknown_command');
  }
});

verifies(
  'P-3.3',
  'is not delayed by long command names',
  async ({ join }) => {
    const ann = await join('ann');
    const bob = await join('bob');
    const long = 'x'.repeat(60_000);

    const ids = Array.from({ length: 200 }, () => ann.post(long));
    await bob.roundTrip();

    const codes = new Set(await codesOf(ann, ids));
    assert.deepEqual([...codes], ['unknown_command']);
    const near = await ann.expectError('room.jion', {}, 'unknown_command');
    assert.match(near.message, /Did you mean room\.join\?/);
  },
  { only: ['websocket', 'in-memory'] },
);

verifies('P-3.3', 'reports the invalid fields of the data', async ({ connect }) => {
  const ann = await connect();
  const data = { protocol: 1, client: { name: 5 } };

  const error = await ann.expectError('hello', data, 'invalid');

  const issues = error.details?.['issues'] as { path: string; message: string }[];
  assert.deepEqual(
    issues.map(({ path }) => path),
    ['client.name'],
  );
  assert.equal(typeof issues[0]?.message, 'string');
});

verifies('P-3.3', 'refuses unknown fields', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();

  const error = await ann.expectError('room.join', { room: name, create: true, x: 1 }, 'invalid');

  assert.deepEqual((error.details?.['issues'] as { path: string }[])[0]?.path, '');
  await ann.expectError('room.get', { room: name }, 'not_found');
});

verifies('P-3.3', 'refuses data that is not an object', async ({ join }) => {
  const ann = await join('ann');

  for (const data of [[], ['room'], 'room', 5, true]) {
    const error = await ann.expectError('session.ping', data, 'invalid');
    assert.equal((error.details?.['issues'] as { path: string }[])[0]?.path, '');
  }
});

verifies('P-3.3', 'reports at most 8 issues', async ({ connect }) => {
  const ann = await connect();
  const rooms = Array.from({ length: 20 }, (_, index) => [`r${String(index)}`, 0]);

  const data = { protocol: 1, resume: Object.fromEntries(rooms) as object };
  const error = await ann.expectError('hello', data, 'invalid');

  assert.equal((error.details?.['issues'] as unknown[]).length, 8);
});
