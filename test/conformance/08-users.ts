import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';

import { eventually } from '../support/eventually.js';
import { HeldReader } from '../support/held-reader.js';
import { HeldWriter } from '../support/held-writer.js';
import type { TestServer } from '../support/server.js';
import { again, chatter, meet, say } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifies } from './suite.js';

/** Gives the number of sessions of a user, welcomed or about to be. */
function sessionsOf({ app }: TestServer, userId: string): number {
  const all = [...app.get(OpenConnections).all()];
  return all.filter(({ session }) => session?.user.id === userId).length;
}

verifies(
  ['P-8.1', 'P-2.5', 'P-4.2'],
  'finds users who are here, or have written',
  async (scene) => {
    const { clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const passing = await scene.join('passing');
    const staying = await scene.join('staying');
    await staying.ok('user.update', { name: 'stayed' });
    const [gone, kept] = [passing.welcome.user, staying.welcome.user];

    const here = await ann.ok('user.get', { user: gone.id });
    const self = await ann.ok('user.get', { user: ann.welcome.user.id });
    await passing.close();
    await staying.close();
    await eventually(
      async () => !(await ann.call('user.get', { user: gone.id })).ok,
      'the leaving',
    );
    const stored = await ann.ok('user.get', { user: kept.id });

    assert.deepEqual([here.user, self.user], [gone, ann.welcome.user]);
    assert.deepEqual(stored.user, { ...kept, name: 'stayed' });
    await ann.refused('user.get', { user: gone.id }, 'not_found');
    await ann.refused('user.get', { user: 'nobody' }, 'not_found');
    await ann.refused('user.get', { user: '' }, 'invalid');
  },
);

verifies('P-8.2', 'tells a new name in each room of the user', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const other = scene.room();
  await ann.ok('room.create', { room: other });
  await ann.ok('room.leave', { room: other });
  const third = scene.room();
  await bob.ok('room.create', { room: third });
  const aside = await again(scene, bob);
  await aside.ok('room.join', { room: other });
  await aside.ok('room.leave', { room });
  const { seq: left } = await readCut(await again(scene, bob), third);

  const { user } = await bob.ok('user.update', { name: '  ﬁnn ' });
  const inThird = await bob.event('user.updated', ({ room: id }) => id === third);
  const own = await bob.event('user.updated', ({ room: id }) => id === '@me');
  const inOther = await aside.event('user.updated', ({ room: id }) => id === other);
  await ann.settled();

  assert.deepEqual(user, { ...bob.welcome.user, name: 'finn' });
  assert.deepEqual(inThird, { room: third, seq: left + 1, at: inThird.at, user });
  assert.deepEqual([own.seq, own.user, inOther.user], [1, user, user]);
  assert.deepEqual(ann.events('user.updated'), [], 'not in rooms that bob is no member of');
});

verifies(['P-8.2', 'P-2.6'], 'brings a name into its form, or refuses it', async (scene) => {
  const ann = await scene.join('ann');

  const { user } = await ann.ok('user.update', { name: ' Ａｎｎ e\u0301 ' });
  assert.equal(user.name, 'Ann \u00e9');
  for (const name of ['', ' ', 'a'.repeat(33), 'a\u202eb', 'a\u200bb', '\u3164', 'a\nb']) {
    await ann.refused('user.update', { name }, 'invalid');
  }
  await ann.refused('user.update', {}, 'invalid');
  assert.equal((await ann.ok('user.get', { user: user.id })).user.name, user.name);
});

verifies('P-8.2', 'writes no event for the name that the user has', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { seq } = await readCut(ann, room);

  const { user } = await ann.ok('user.update', { name: ' ann ' });
  await ann.settled();

  assert.deepEqual(user, ann.welcome.user);
  assert.equal((await readCut(ann, room)).seq, seq);
  assert.deepEqual(ann.events('user.updated'), []);
});

verifies(['P-8.2', 'P-5.9'], 'shows the new name wherever the user is shown', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const from = await readCut(ann, room);
  await say(bob, room, 'hi', { cid: 'c-1' });
  await ann.event('message.created');

  const { user } = await bob.ok('user.update', { name: 'robert' });
  const fromMemory = await readLog(ann, room, from);
  const cut = await readCut(ann, room);
  const { members } = await ann.ok('room.members', { room });
  const back = await again(scene, bob);

  const created = fromMemory[0]?.data as { message?: { sender: unknown } } | undefined;
  assert.deepEqual(created?.message?.sender, user);
  assert.deepEqual(cut.messages[0]?.sender, user);
  assert.deepEqual((await readHistory(ann, room))[0]?.sender, user);
  for (const list of [cut.members, members]) {
    assert.deepEqual(list.find(({ user: { id } }) => id === user.id)?.user, user);
  }
  assert.deepEqual(back.welcome.user, user, 'also by a token of the time before');
  assert.deepEqual((await ann.ok('user.get', { user: user.id })).user, user);
  await chatter(ann, room, 300);
  const fromDatabase = await readLog(ann, room, from);
  assert.deepEqual(fromDatabase[0], fromMemory[0]);
});

verifies('P-8.2', 'shows who comes back by the name of now', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  await say(bob, room, 'hi');
  await bob.ok('room.leave', { room });
  const { user } = await bob.ok('user.update', { name: 'robert' });

  const cut = await bob.ok('room.join', { room });

  assert.deepEqual(cut.you.user, user);
  assert.deepEqual(cut.messages, await readHistory(ann, room), 'in the cut as in the history');
  assert.deepEqual(cut.messages[0]?.sender, user);
});

verifies(
  ['P-8.2', 'P-2.4'],
  'knows who comes back on several connections at once by the name of now',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { token, user } = bob.welcome;
    await bob.ok('user.update', { name: 'robert' });
    await bob.close();
    await eventually(() => sessionsOf(server, user.id) === 0, 'the leaving');
    const back = [await scene.connect(), await scene.connect()];

    const reads = HeldReader.of(server);
    const hellos = back.map((client) => client.post('hello', { protocol: 1, token }));
    await eventually(() => sessionsOf(server, user.id) === 2, 'both sessions');
    const seen = await ann.ok('user.get', { user: user.id });
    reads.release();
    for (const [index, client] of back.entries()) {
      assert((await client.reply(hellos[index])).ok, 'it is welcomed');
      assert.equal(client.welcome.user.name, 'robert');
      await client.ok('user.update', { name: 'robert' });
      assert.equal((await say(client, room, 'hi')).sender.name, 'robert');
    }

    assert.equal(seen.user.name, 'robert', 'also before the welcome');
  },
  { settings: {} },
);

verifies(
  ['P-8.2', 'P-2.4'],
  'keeps a name that is taken while a hello of the user is at work',
  async (scene) => {
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [, bob] = clients;
    await bob.ok('user.update', { name: 'robert' });
    const bobToo = await scene.connect();

    const reads = HeldReader.of(server);
    const hello = bobToo.post('hello', { protocol: 1, token: bob.welcome.token });
    await eventually(() => sessionsOf(server, bob.welcome.user.id) === 2, 'both sessions');
    await bob.ok('user.update', { name: 'bobby' });
    await bob.close();
    reads.release();
    await bobToo.reply(hello);

    assert.equal(bobToo.welcome.user.name, 'bobby');
    assert.equal((await say(bobToo, room, 'hi')).sender.name, 'bobby');
  },
  { settings: {} },
);

verifies(
  ['P-8.2', 'P-3.4'],
  'uses a new name in what is sent right after it',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const other = scene.room();
    await ann.ok('room.create', { room: other });

    const held = await HeldWriter.of(scene.server);
    const renamed = bob.post('user.update', { name: 'robert' });
    const sent = bob.post('message.send', { room, text: 'hi' });
    await held.waiting(2);
    held.release();
    assert((await bob.reply(renamed)).ok, 'the name was taken');
    assert((await bob.reply(sent)).ok, 'the message was sent');
    const event = await ann.event('message.created');

    assert.equal(event.message.sender.name, 'robert');
    assert.deepEqual((await readCut(ann, room)).messages, await readHistory(ann, room));
  },
  { settings: {} },
);
