import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';

import { eventually } from '../support/eventually.js';
import { HeldReader } from '../support/held-reader.js';
import { HeldWriter } from '../support/held-writer.js';
import type { TestServer } from '../support/server.js';
import { connectAgain, meet, say, sendMany } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifiesCore } from './suite.js';

/** Returns the number of sessions of a user, including those not yet welcomed. */
function sessionsOf({ app }: TestServer, userId: string): number {
  const all = [...app.get(OpenConnections).all()];
  return all.filter(({ session }) => session?.user.id === userId).length;
}

verifiesCore(['P-8.1', 'P-2.5', 'P-4.2'], 'finds users who are online or stored', async (scene) => {
  const { clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const passing = await scene.join('passing');
  const staying = await scene.join('staying');
  await staying.ok('user.update', { name: 'stayed' });
  const [gone, kept] = [passing.welcome.user, staying.welcome.user];

  const other = await ann.ok('user.get', { user: gone.id });
  const self = await ann.ok('user.get', { user: ann.welcome.user.id });
  await passing.close();
  await staying.close();
  await eventually(
    async () => !(await ann.call('user.get', { user: gone.id })).ok,
    'the end of the session',
  );
  const stored = await ann.ok('user.get', { user: kept.id });

  assert.deepEqual({ other: other.user, self: self.user }, { other: gone, self: ann.welcome.user });
  assert.deepEqual(stored.user, { ...kept, name: 'stayed' });
  await ann.expectError('user.get', { user: gone.id }, 'not_found');
  await ann.expectError('user.get', { user: 'nobody' }, 'not_found');
  await ann.expectError('user.get', { user: '' }, 'invalid');
});

verifiesCore('P-8.2', 'sends a new name to every room of the user', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const other = scene.room();
  await ann.ok('room.create', { room: other });
  await ann.ok('room.leave', { room: other });
  const third = scene.room();
  await bob.ok('room.create', { room: third });
  const bobToo = await connectAgain(scene, bob);
  await bobToo.ok('room.join', { room: other });
  await bobToo.ok('room.leave', { room });
  const { seq: left } = await readCut(await connectAgain(scene, bob), third);

  const { user } = await bob.ok('user.update', { name: '  ﬁnn ' });
  const inThird = await bob.event('user.updated', ({ room: id }) => id === third);
  const own = await bob.event('user.updated', ({ room: id }) => id === '@me');
  const inOther = await bobToo.event('user.updated', ({ room: id }) => id === other);
  await ann.roundTrip();

  assert.deepEqual(user, { ...bob.welcome.user, name: 'finn' });
  assert.deepEqual(inThird, { room: third, seq: left + 1, at: inThird.at, user });
  assert.deepEqual(
    { ownSeq: own.seq, own: own.user, inOther: inOther.user },
    { ownSeq: 1, own: user, inOther: user },
  );
  assert.deepEqual(
    ann.events('user.updated'),
    [],
    'not sent to rooms in which bob is not a member',
  );
});

verifiesCore(['P-8.2', 'P-2.6'], 'normalizes a name, or refuses it', async (scene) => {
  const ann = await scene.join('ann');

  const { user } = await ann.ok('user.update', { name: ' Ａｎｎ e\u0301 ' });
  assert.equal(user.name, 'Ann \u00e9');
  for (const name of ['', ' ', 'a'.repeat(33), 'a\u202eb', 'a\u200bb', '\u3164', 'a\nb']) {
    await ann.expectError('user.update', { name }, 'invalid');
  }
  await ann.expectError('user.update', {}, 'invalid');
  assert.equal((await ann.ok('user.get', { user: user.id })).user.name, user.name);
});

verifiesCore('P-8.2', 'writes no event when the name does not change', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { seq } = await readCut(ann, room);

  const { user } = await ann.ok('user.update', { name: ' ann ' });
  await ann.roundTrip();

  assert.deepEqual(user, ann.welcome.user);
  assert.equal((await readCut(ann, room)).seq, seq);
  assert.deepEqual(ann.events('user.updated'), []);
});

verifiesCore(['P-8.2', 'P-5.9'], 'shows the new name wherever the user appears', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const from = await readCut(ann, room);
  await say(bob, room, 'hi', { cid: 'c-1' });
  await ann.event('message.created');

  const { user } = await bob.ok('user.update', { name: 'robert' });
  const fromMemory = await readLog(ann, room, from);
  const cut = await readCut(ann, room);
  const { members } = await ann.ok('room.members', { room });
  const back = await connectAgain(scene, bob);

  const created = fromMemory[0]?.data as { message?: { sender: unknown } } | undefined;
  assert.deepEqual(created?.message?.sender, user);
  assert.deepEqual(cut.messages[0]?.sender, user);
  assert.deepEqual((await readHistory(ann, room))[0]?.sender, user);
  for (const list of [cut.members, members]) {
    assert.deepEqual(list.find(({ user: { id } }) => id === user.id)?.user, user);
  }
  assert.deepEqual(back.welcome.user, user, 'even with a token from before the rename');
  assert.deepEqual((await ann.ok('user.get', { user: user.id })).user, user);
  await sendMany(ann, room, 300);
  const fromDatabase = await readLog(ann, room, from);
  assert.deepEqual(fromDatabase[0], fromMemory[0]);
});

verifiesCore('P-8.2', 'shows the current name of a user who returns to a room', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  await say(bob, room, 'hi');
  await bob.ok('room.leave', { room });
  const { user } = await bob.ok('user.update', { name: 'robert' });

  const cut = await bob.ok('room.join', { room });

  assert.deepEqual(cut.you.user, user);
  assert.deepEqual(cut.messages, await readHistory(ann, room), 'the cut and the history agree');
  assert.deepEqual(cut.messages[0]?.sender, user);
});

verifiesCore(
  ['P-8.2', 'P-2.4'],
  'uses the current name when a user returns on several connections at the same time',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { token, user } = bob.welcome;
    await bob.ok('user.update', { name: 'robert' });
    await bob.close();
    await eventually(() => sessionsOf(server, user.id) === 0, 'the end of the session');
    const back = [await scene.connect(), await scene.connect()];

    const reads = HeldReader.hold(server);
    const hellos = back.map((client) => client.post('hello', { protocol: 1, token }));
    await eventually(() => sessionsOf(server, user.id) === 2, 'both sessions');
    const seen = await ann.ok('user.get', { user: user.id });
    await reads.release();
    for (const [index, client] of back.entries()) {
      assert((await client.reply(hellos[index])).ok, 'the hello succeeds');
      assert.equal(client.welcome.user.name, 'robert');
      await client.ok('user.update', { name: 'robert' });
      assert.equal((await say(client, room, 'hi')).sender.name, 'robert');
    }

    assert.equal(seen.user.name, 'robert', 'also before the welcome');
  },
  { settings: {} },
);

verifiesCore(
  ['P-8.2', 'P-2.4'],
  'keeps a rename that completes during a hello of the same user',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [, bob] = clients;
    await bob.ok('user.update', { name: 'robert' });
    const bobToo = await scene.connect();

    const reads = HeldReader.hold(server);
    const hello = bobToo.post('hello', { protocol: 1, token: bob.welcome.token });
    await eventually(() => sessionsOf(server, bob.welcome.user.id) === 2, 'both sessions');
    await bob.ok('user.update', { name: 'bobby' });
    await bob.close();
    await reads.release();
    await bobToo.reply(hello);

    assert.equal(bobToo.welcome.user.name, 'bobby');
    assert.equal((await say(bobToo, room, 'hi')).sender.name, 'bobby');
  },
  { settings: {} },
);

verifiesCore(
  ['P-8.2', 'P-3.4'],
  'uses a new name in a message sent right after the rename',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const other = scene.room();
    await ann.ok('room.create', { room: other });

    const held = await HeldWriter.hold(scene.server);
    const renamed = bob.post('user.update', { name: 'robert' });
    const sent = bob.post('message.send', { room, text: 'hi' });
    await held.untilQueued(2);
    held.release();
    assert((await bob.reply(renamed)).ok, 'the rename succeeds');
    assert((await bob.reply(sent)).ok, 'the message is sent');
    const event = await ann.event('message.created');

    assert.equal(event.message.sender.name, 'robert');
    assert.deepEqual((await readCut(ann, room)).messages, await readHistory(ann, room));
  },
  { settings: {} },
);
