import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { inDirectRoom, idOf, openWith } from './directs.js';
import { again, say } from './meeting.js';
import { readHistory, readLog } from './reading.js';
import { verifies } from './suite.js';

/** Tries what a block refuses. */
async function refusesAll(client: TestClient, room: string, own: string, others: string) {
  const errors = [
    await client.refused('message.send', { room, text: 'hi' }, 'blocked'),
    await client.refused('message.send', { room, text: 'hi', cid: 'new' }, 'blocked'),
    await client.refused('message.edit', { room, message: own, text: 'edited' }, 'blocked'),
    await client.refused('message.react', { room, message: others, emoji: '👍' }, 'blocked'),
    await client.refused('typing.set', { room, active: true }, 'blocked'),
  ];
  for (const error of errors) {
    assert.deepEqual(error, errors[0]);
    assert.equal(error.details, undefined);
  }
  return errors[0];
}

verifies(
  ['P-8.3', 'P-6.12', 'P-7.4'],
  'keeps two users from writing to each other, until it is taken back',
  async (scene) => {
    const { ann, bob, room } = await inDirectRoom(scene);
    const [{ id: ofAnn }, { id: ofBob }] = [await say(ann, room, 'a'), await say(bob, room, 'b')];
    await bob.ok('message.react', { room, message: ofAnn, emoji: '🎉' });
    const blocked = await ann.ok('user.block', { user: idOf(bob) });
    const ofBlocked = await refusesAll(bob, room, ofBob, ofAnn);
    const ofBlocker = await refusesAll(ann, room, ofAnn, ofBob);
    const unread = await openWith(bob, ann);
    await bob.ok('message.unreact', { room, message: ofAnn, emoji: '🎉' });
    await bob.ok('message.delete', { room, message: ofBob });
    const unblocked = await ann.ok('user.unblock', { user: idOf(bob) });
    await bob.ok('typing.set', { room, active: true });
    const { seq } = await say(bob, room, 'again');
    await ann.event('message.created', ({ message }) => message.seq === seq);

    assert.deepEqual(blocked, { user: bob.welcome.user, changed: true });
    assert.deepEqual(unblocked, blocked);
    assert.deepEqual(ofBlocked, ofBlocker, 'it does not tell who blocked whom');
    assert.equal(unread.messages.length, 2, 'both may read');
    assert.equal(ann.events('typing').length, 1);
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => text),
      ['a', '', 'again'],
    );
  },
);

verifies(['P-8.3', 'P-5.14'], 'tells the own connections, and nobody else', async (scene) => {
  const { ann, bob } = await inDirectRoom(scene);
  const annToo = await again(scene, ann);
  const user = bob.welcome.user;
  const first = await ann.ok('user.block', { user: user.id });
  const second = await annToo.ok('user.block', { user: user.id });
  const blocked = await Promise.all([ann, annToo].map((tab) => tab.event('user.blocked')));
  const third = await annToo.ok('user.unblock', { user: user.id });
  const fourth = await ann.ok('user.unblock', { user: user.id });
  const unblocked = await Promise.all([ann, annToo].map((tab) => tab.event('user.unblocked')));
  for (const client of [ann, annToo, bob]) await client.settled();
  const log = await readLog(annToo, '@me', { epoch: ann.welcome.me.epoch, seq: 0 });

  assert.deepEqual(
    [first, second, third, fourth].map(({ changed }) => changed),
    [true, false, true, false],
  );
  for (const [index, events] of [blocked, unblocked].entries()) {
    assert.deepEqual(events[0], { room: '@me', seq: index + 2, at: events[0]?.at, user });
    assert.deepEqual(events[0], events[1]);
  }
  assert.deepEqual(
    log.map(({ event }) => event),
    ['dm.opened', 'user.blocked', 'user.unblocked'],
  );
  assert.deepEqual([bob.events('user.blocked'), bob.events('user.unblocked')], [[], []]);
});

verifies(['P-8.3', 'P-5.17'], 'keeps two users from making a direct room', async (scene) => {
  const ann = await scene.join('ann');
  const bob = await scene.join('bob');
  await ann.ok('user.block', { user: idOf(bob) });
  const errors = [
    await bob.refused('dm.open', { user: idOf(ann) }, 'blocked'),
    await ann.refused('dm.open', { user: idOf(bob) }, 'blocked'),
  ];
  await bob.ok('user.block', { user: idOf(ann) });
  await ann.ok('user.unblock', { user: idOf(bob) });
  await ann.refused('dm.open', { user: idOf(bob) }, 'blocked');
  await bob.ok('user.unblock', { user: idOf(ann) });
  const { created } = await openWith(ann, bob);

  assert.deepEqual(errors[0], errors[1]);
  assert.equal(created, true);
});

verifies(['P-8.3', 'P-5.16', 'P-5.17'], 'brings nobody back who left', async (scene) => {
  const { ann, bob, room } = await inDirectRoom(scene);
  await ann.ok('user.block', { user: idOf(bob) });
  await ann.ok('room.leave', { room });
  await bob.ok('room.leave', { room });
  const { created, memberCount, you } = await openWith(bob, ann);
  await bob.refused('message.send', { room, text: 'hi' }, 'blocked');

  assert.deepEqual([created, memberCount, you.user], [false, 1, bob.welcome.user]);
  assert.deepEqual((await ann.ok('dm.list', {})).directs, []);
  assert.equal(ann.events('dm.opened').length, 1);
});

verifies(['P-8.3', 'P-6.3'], 'answers what was stored before as a repeat', async (scene) => {
  const { ann, bob, room } = await inDirectRoom(scene);
  const sent = await say(bob, room, 'hi', { cid: 'c-1' });
  await ann.ok('user.block', { user: idOf(bob) });
  const { message, duplicate } = await bob.ok('message.send', { room, text: 'hi', cid: 'c-1' });
  const other = { room, text: 'ho', cid: 'c-1' };
  await bob.refused('message.send', other, 'idempotency_conflict');
  const { found } = await bob.ok('message.status', { room, cid: 'c-1' });

  assert.deepEqual([message, duplicate, found], [sent, true, true]);
});

verifies('P-8.3', 'leaves rooms that the two share as they are', async (scene) => {
  const [ann, bob] = [await scene.join('ann'), await scene.join('bob')];
  const room = scene.room();
  await ann.ok('room.join', { room, create: true });
  await bob.ok('room.join', { room });
  await ann.ok('user.block', { user: idOf(bob) });
  const { id: message } = await say(bob, room, 'hi');
  await bob.ok('typing.set', { room, active: true });
  await ann.event('typing');
  await ann.ok('message.react', { room, message, emoji: '👍' });
  await bob.event('reaction.added');
  const { user } = await bob.ok('user.get', { user: idOf(ann) });

  assert.deepEqual(user, ann.welcome.user);
});

verifies(
  ['P-8.3', 'P-3.5'],
  'has one outcome with a message that is sent at once',
  async (scene) => {
    const { ann, bob, room } = await inDirectRoom(scene);
    const race = async (order: readonly ('block' | 'say')[]) => {
      const held = await HeldWriter.of(scene.server);
      const steps = {
        block: () => ann.reply(ann.post('user.block', { user: idOf(bob) })),
        say: () => bob.reply(bob.post('message.send', { room, text: order.join() })),
      };
      const replies: ReturnType<TestClient['reply']>[] = [];
      for (const step of order) {
        replies.push(steps[step]());
        await held.waiting(replies.length);
      }
      held.release();
      const answers = await Promise.all(replies);
      await ann.ok('user.unblock', { user: idOf(bob) });
      return answers.map((answer) => (answer.ok ? 'ok' : answer.error.code));
    };

    assert.deepEqual(await race(['block', 'say']), ['ok', 'blocked']);
    assert.deepEqual(await race(['say', 'block']), ['ok', 'ok']);
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => text),
      ['say,block'],
    );
  },
  { settings: {} },
);

verifies(
  ['P-8.3', 'P-5.17', 'P-3.5'],
  'has one outcome with a room that is opened at once',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const held = await HeldWriter.of(scene.server);
    const blocked = ann.post('user.block', { user: idOf(bob) });
    await held.waiting(1);
    const opened = bob.post('dm.open', { user: idOf(ann) });
    await held.waiting(2);
    held.release();
    const [first, second] = [await ann.reply(blocked), await bob.reply(opened)];

    assert(first.ok && !second.ok);
    assert.equal(second.error.code, 'blocked');
    assert.deepEqual((await ann.ok('dm.list', {})).directs, []);
  },
  { settings: {} },
);

verifies(
  ['P-8.3', 'P-8.4'],
  'stays after a restart of the server',
  async (scene) => {
    const { ann, bob, room } = await inDirectRoom(scene);
    await ann.ok('user.block', { user: idOf(bob) });
    await scene.server?.stop();
    const next = await scene.start(scene.server?.env ?? {});
    const bobToo = await next.connect();
    await bobToo.ok('hello', { protocol: 1, token: bob.welcome.token });
    const annToo = await next.connect();
    await annToo.ok('hello', { protocol: 1, token: ann.welcome.token });
    await bobToo.refused('message.send', { room, text: 'hi' }, 'blocked');
    const { users } = await annToo.ok('user.blocks', {});

    assert.deepEqual(users, [bob.welcome.user]);
    await annToo.close();
    await bobToo.close();
  },
  { settings: {} },
);

verifies(['P-8.4', 'P-8.3'], 'lists those who are blocked, in pages', async (scene) => {
  const ann = await scene.join('ann');
  const others = [await scene.join('bob'), await scene.join('cem'), await scene.join('dan')];
  for (const other of others) await ann.ok('user.block', { user: idOf(other) });
  await others[0]?.ok('user.update', { name: 'robert' });
  const first = await ann.ok('user.blocks', { limit: 2 });
  const rest = await ann.ok('user.blocks', { limit: 2, after: first.next ?? '' });
  const whole = await ann.ok('user.blocks', {});

  assert.deepEqual([...first.users, ...rest.users], whole.users);
  assert.deepEqual(
    whole.users.map(({ id }) => id),
    others.map(idOf).sort(),
  );
  assert(whole.users.some(({ name }) => name === 'robert'));
  assert.deepEqual([rest.next, whole.next], [undefined, undefined]);
  assert.deepEqual((await others[0]?.ok('user.blocks', {}))?.users, []);
});

verifies(['P-8.3', 'P-4.2'], 'refuses who is nobody, or oneself', async (scene) => {
  const ann = await scene.join('ann');
  for (const cmd of ['user.block', 'user.unblock']) {
    await ann.refused(cmd, { user: idOf(ann) }, 'invalid');
    await ann.refused(cmd, { user: 'nobody' }, 'not_found');
  }
});

verifies(
  ['P-8.3', 'P-4.2'],
  'limits the users that a user blocks',
  async (scene) => {
    const ann = await scene.join('ann');
    const [bob, cem] = [await scene.join('bob'), await scene.join('cem')];
    await ann.ok('user.block', { user: idOf(bob) });
    const { details } = await ann.refused('user.block', { user: idOf(cem) }, 'limit_reached');
    const { changed } = await ann.ok('user.block', { user: idOf(bob) });
    await ann.ok('user.unblock', { user: idOf(bob) });
    await ann.ok('user.block', { user: idOf(cem) });

    assert.deepEqual([details, changed], [{ limit: 'blocksPerUser', value: 1 }, false]);
  },
  { settings: { PARLANCE_LIMIT_BLOCKS_PER_USER: '1' } },
);
