import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { idOf, openDirectRoom, openWith } from './directs.js';
import { connectAgain, say } from './meeting.js';
import { readHistory, readLog } from './reading.js';
import { verifiesCore } from './suite.js';

/** Checks that all commands that a block refuses fail alike; returns the error. */
async function refusesAll(client: TestClient, room: string, own: string, others: string) {
  const errors = [
    await client.expectError('message.send', { room, text: 'hi' }, 'blocked'),
    await client.expectError('message.send', { room, text: 'hi', cid: 'new' }, 'blocked'),
    await client.expectError('message.edit', { room, message: own, text: 'edited' }, 'blocked'),
    await client.expectError('message.react', { room, message: others, emoji: '👍' }, 'blocked'),
    await client.expectError('typing.set', { room, active: true }, 'blocked'),
  ];
  for (const error of errors) {
    assert.deepEqual(error, errors[0]);
    assert.equal(error.details, undefined);
  }
  return errors[0];
}

verifiesCore(
  ['P-8.3', 'P-6.12', 'P-7.4'],
  'stops two users from writing to each other until the block is removed',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
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
    assert.deepEqual(ofBlocked, ofBlocker, 'the error does not reveal who blocked whom');
    assert.equal(unread.messages.length, 2, 'both may read');
    assert.equal(ann.events('typing').length, 1);
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => text),
      ['a', '', 'again'],
    );
  },
);

verifiesCore(
  ['P-8.3', 'P-5.14'],
  'sends block events only to the connections of the blocking user',
  async (scene) => {
    const { ann, bob } = await openDirectRoom(scene);
    const annToo = await connectAgain(scene, ann);
    const user = bob.welcome.user;
    const first = await ann.ok('user.block', { user: user.id });
    const second = await annToo.ok('user.block', { user: user.id });
    const blocked = await Promise.all([ann, annToo].map((tab) => tab.event('user.blocked')));
    const third = await annToo.ok('user.unblock', { user: user.id });
    const fourth = await ann.ok('user.unblock', { user: user.id });
    const unblocked = await Promise.all([ann, annToo].map((tab) => tab.event('user.unblocked')));
    for (const client of [ann, annToo, bob]) await client.roundTrip();
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
    assert.deepEqual(
      { blocked: bob.events('user.blocked'), unblocked: bob.events('user.unblocked') },
      { blocked: [], unblocked: [] },
    );
  },
);

verifiesCore(['P-8.3', 'P-5.17'], 'stops two users from creating a direct room', async (scene) => {
  const ann = await scene.join('ann');
  const bob = await scene.join('bob');
  await ann.ok('user.block', { user: idOf(bob) });
  const errors = [
    await bob.expectError('dm.open', { user: idOf(ann) }, 'blocked'),
    await ann.expectError('dm.open', { user: idOf(bob) }, 'blocked'),
  ];
  await bob.ok('user.block', { user: idOf(ann) });
  await ann.ok('user.unblock', { user: idOf(bob) });
  await ann.expectError('dm.open', { user: idOf(bob) }, 'blocked');
  await bob.ok('user.unblock', { user: idOf(ann) });
  const { created } = await openWith(ann, bob);

  assert.deepEqual(errors[0], errors[1]);
  assert.equal(created, true);
});

verifiesCore(['P-8.3', 'P-5.16', 'P-5.17'], 'does not re-add a user who left', async (scene) => {
  const { ann, bob, room } = await openDirectRoom(scene);
  await ann.ok('user.block', { user: idOf(bob) });
  await ann.ok('room.leave', { room });
  await bob.ok('room.leave', { room });
  const { created, memberCount, you } = await openWith(bob, ann);
  await bob.expectError('message.send', { room, text: 'hi' }, 'blocked');

  assert.deepEqual(
    { created, memberCount, user: you.user },
    { created: false, memberCount: 1, user: bob.welcome.user },
  );
  assert.deepEqual((await ann.ok('dm.list', {})).directs, []);
  assert.equal(ann.events('dm.opened').length, 1);
});

verifiesCore(
  ['P-8.3', 'P-6.3'],
  'answers a message stored before the block as a repeat',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const sent = await say(bob, room, 'hi', { cid: 'c-1' });
    await ann.ok('user.block', { user: idOf(bob) });
    const { message, duplicate } = await bob.ok('message.send', { room, text: 'hi', cid: 'c-1' });
    const other = { room, text: 'ho', cid: 'c-1' };
    await bob.expectError('message.send', other, 'idempotency_conflict');
    const { found } = await bob.ok('message.status', { room, cid: 'c-1' });

    assert.deepEqual(
      { message, duplicate, found },
      { message: sent, duplicate: true, found: true },
    );
  },
);

verifiesCore('P-8.3', 'does not affect public rooms that both users are in', async (scene) => {
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

verifiesCore(
  ['P-8.3', 'P-3.5'],
  'orders a simultaneous block and message',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const race = async (order: readonly ('block' | 'say')[]) => {
      const held = await HeldWriter.hold(scene.server);
      const steps = {
        block: () => ann.reply(ann.post('user.block', { user: idOf(bob) })),
        say: () => bob.reply(bob.post('message.send', { room, text: order.join() })),
      };
      const replies: ReturnType<TestClient['reply']>[] = [];
      for (const step of order) {
        replies.push(steps[step]());
        await held.untilQueued(replies.length);
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

verifiesCore(
  ['P-8.3', 'P-5.17', 'P-3.5'],
  'orders a simultaneous block and dm.open',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const held = await HeldWriter.hold(scene.server);
    const blocked = ann.post('user.block', { user: idOf(bob) });
    await held.untilQueued(1);
    const opened = bob.post('dm.open', { user: idOf(ann) });
    await held.untilQueued(2);
    held.release();
    const [first, second] = [await ann.reply(blocked), await bob.reply(opened)];

    assert(first.ok && !second.ok);
    assert.equal(second.error.code, 'blocked');
    assert.deepEqual((await ann.ok('dm.list', {})).directs, []);
  },
  { settings: {} },
);

verifiesCore(
  ['P-8.3', 'P-8.4'],
  'keeps a block after a server restart',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    await ann.ok('user.block', { user: idOf(bob) });
    await scene.server?.stop();
    const next = await scene.start(scene.server?.env ?? {});
    const bobToo = await next.connect();
    await bobToo.ok('hello', { protocol: 1, token: bob.welcome.token });
    const annToo = await next.connect();
    await annToo.ok('hello', { protocol: 1, token: ann.welcome.token });
    await bobToo.expectError('message.send', { room, text: 'hi' }, 'blocked');
    const { users } = await annToo.ok('user.blocks', {});

    assert.deepEqual(users, [bob.welcome.user]);
    await annToo.close();
    await bobToo.close();
  },
  { settings: {} },
);

verifiesCore(['P-8.4', 'P-8.3'], 'lists blocked users in pages', async (scene) => {
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
  assert.deepEqual(
    { afterRest: rest.next, afterWhole: whole.next },
    { afterRest: undefined, afterWhole: undefined },
  );
  assert.deepEqual((await others[0]?.ok('user.blocks', {}))?.users, []);
});

verifiesCore(['P-8.3', 'P-4.2'], 'refuses to block an unknown user or oneself', async (scene) => {
  const ann = await scene.join('ann');
  for (const cmd of ['user.block', 'user.unblock']) {
    await ann.expectError(cmd, { user: idOf(ann) }, 'invalid');
    await ann.expectError(cmd, { user: 'nobody' }, 'not_found');
  }
});

verifiesCore(
  ['P-8.3', 'P-4.2'],
  'limits how many users a user may block',
  async (scene) => {
    const ann = await scene.join('ann');
    const [bob, cem] = [await scene.join('bob'), await scene.join('cem')];
    await ann.ok('user.block', { user: idOf(bob) });
    const { details } = await ann.expectError('user.block', { user: idOf(cem) }, 'limit_reached');
    const { changed } = await ann.ok('user.block', { user: idOf(bob) });
    await ann.ok('user.unblock', { user: idOf(bob) });
    await ann.ok('user.block', { user: idOf(cem) });

    assert.deepEqual(
      { details, changed },
      { details: { limit: 'blocksPerUser', value: 1 }, changed: false },
    );
  },
  { settings: { PARLANCE_LIMIT_BLOCKS_PER_USER: '1' } },
);
