import assert from 'node:assert/strict';

import type { Reply, TestClient } from '../support/client.js';
import { verifies } from './suite.js';

const PIPELINED = 100;
// Twice this and a bit stays within the default burst of messages (P-9.10).
const CHATTER = 8;
// Default limit of packets in a polling request (P-9.5).
const BATCH = 50;

/** Returns the ids of the replies so far, in order of arrival. */
function repliesOf(client: TestClient): unknown[] {
  return (client.frames as Reply[]).filter(({ re }) => re !== undefined).map(({ re }) => re);
}

/** Returns the error codes of replies; undefined for successful ones. */
async function codesOf(client: TestClient, ids: readonly unknown[]): Promise<unknown[]> {
  const replies = await Promise.all(ids.map((id) => client.reply(id)));
  return replies.map((reply) => (reply.ok ? undefined : reply.error.code));
}

verifies('P-3.4', 'answers pipelined commands in the order sent', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();
  const ids = [ann.post('room.join', { room: name, create: true })];

  for (let sent = 0; sent < PIPELINED; sent++) {
    if (sent % BATCH === 0) await ann.reply(ids.at(-1));
    const slow = sent % 10 === 9;
    if (slow) ids.push(ann.post('message.history', { room: name, limit: 1 }));
    else ids.push(ann.post('message.send', { room: name, text: String(sent) }));
  }
  await ann.reply(ids.at(-1));

  assert.deepEqual(repliesOf(ann).slice(1), ids);
  const created = ann.events('message.created').map(({ data }) => data['seq'] as number);
  assert.deepEqual(
    created,
    [...created].sort((a, b) => a - b),
  );
});

verifies('P-3.4', 'lets a read see the writes sent before it', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();
  ann.post('room.join', { room: name, create: true });

  for (let count = 1; count <= 10; count++) {
    ann.post('message.send', { room: name, text: String(count) });
    const { messages } = await ann.ok('message.history', { room: name, limit: 1 });
    assert.equal(messages[0]?.text, String(count));
  }
});

verifies('P-3.4', 'lets commands take effect in the order sent', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();

  const ids = [
    ann.post('message.send', { room: name, text: 'too early' }),
    ann.post('room.join', { room: name, create: true }),
    ann.post('message.send', { room: name, text: 'in time' }),
    ann.post('room.leave', { room: name }),
    ann.post('message.send', { room: name, text: 'too late' }),
  ];

  const codes = ['not_found', undefined, undefined, undefined, 'not_member'];
  assert.deepEqual(await codesOf(ann, ids), codes);
});

verifies(
  'P-3.5',
  'produces one outcome for a race between two commands',
  async ({ join, room }) => {
    const clients = await Promise.all(['ann', 'bob', 'cat', 'dan'].map((name) => join(name)));

    for (let round = 0; round < 5; round++) {
      const name = room();
      const replies = await Promise.all(
        clients.map((one) => one.call('room.create', { room: name })),
      );
      const codes = replies.map((reply) => (reply.ok ? 'ok' : reply.error.code));
      assert.deepEqual(codes.sort(), ['ok', 'room_exists', 'room_exists', 'room_exists']);
    }
  },
);

verifies('P-3.6', 'answers a command without an id only if it fails', async ({ join, room }) => {
  const ann = await join('ann');
  const name = room();
  await ann.ok('room.join', { room: name, create: true });
  const replies = repliesOf(ann).length;

  ann.send({ cmd: 'message.send', data: { room: name, text: 'hi' } });
  ann.send({ cmd: 'message.send', data: { room: name, text: ' ' } });
  const { error, cmd } = await ann.event('error');
  await ann.event('message.created');

  assert.equal(error.code, 'invalid');
  assert.equal(cmd, 'message.send');
  assert.equal(repliesOf(ann).length, replies);
  assert.equal(ann.events('error').length, 1);
});

verifies('P-3.6', 'does not answer a hello without an id', async ({ connect }) => {
  const ann = await connect();

  ann.send({ cmd: 'hello', data: { protocol: 1 } });
  await ann.roundTrip();

  assert.deepEqual(repliesOf(ann), ['c1']);
  assert.deepEqual(ann.events('welcome'), []);
});

/** Ways to start to receive a room; each returns the position after which live events follow. */
const ENTRIES = {
  'room.join': async (client: TestClient, token: string, room: string) => {
    await client.ok('hello', { protocol: 1, token });
    return (await client.ok('room.join', { room })).seq;
  },
  'room.sync': async (client: TestClient, token: string, room: string) => {
    await client.ok('hello', { protocol: 1, token });
    return (await client.ok('room.sync', { room })).seq;
  },
  hello: async (client: TestClient, token: string, room: string, epoch: string) => {
    const resume = { [room]: { epoch, seq: 2 } };
    await client.ok('hello', { protocol: 1, token, resume });
    return 2;
  },
};

for (const [command, enter] of Object.entries(ENTRIES)) {
  verifies('P-3.7', `answers ${command} before the live events after it`, async (scene) => {
    const [ann, late] = [await scene.connect(), await scene.connect()];
    const { token = '' } = await ann.ok('hello', { protocol: 1, name: 'ann' });
    const room = scene.room();
    const { epoch } = await ann.ok('room.join', { room, create: true });

    const chat = (text: string) => {
      for (let sent = 0; sent < CHATTER; sent++) ann.post('message.send', { room, text });
    };
    chat('before');
    const entered = enter(late, token, room, epoch);
    chat('after');
    const seq = await entered;
    await ann.roundTrip();
    await ann.ok('message.send', { room, text: 'last' });
    await late.event('message.created', ({ message }) => message.text === 'last');

    const seqs = late.logged(room).map(({ data }) => data['seq']);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => seq + 1 + index),
    );
    const reply = late.frames.findIndex((frame) => (frame as Reply).re === `c${lastId(late)}`);
    assert(reply < late.frames.indexOf(late.logged(room)[0]), 'the reply comes first');
  });
}

function lastId(client: TestClient): string {
  return String(repliesOf(client).length);
}
