import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { connectAgain, meet } from './meeting.js';
import { range, readPage, replay, seqsOf } from './reading.js';
import { verifies, type Scene } from './suite.js';

verifies(
  ['P-5.14', 'P-8.2'],
  'delivers the own log to every session without a join',
  async (scene) => {
    const ann = await scene.join('ann');
    const annToo = await connectAgain(scene, ann);
    const bob = await scene.join('bob');

    const { user } = await ann.ok('user.update', { name: 'Anna' });
    const event = await annToo.event('user.updated');
    await ann.event('user.updated');
    await bob.roundTrip();

    assert.deepEqual(event, { room: '@me', seq: ann.welcome.me.seq + 1, at: event.at, user });
    assert.deepEqual(user, { ...ann.welcome.user, name: 'Anna' });
    assert.deepEqual(bob.events(), [], 'other users get nothing');
  },
);

verifies('P-5.14', 'starts the own log at the position in the welcome', async (scene) => {
  const ann = await scene.join('ann');
  await ann.ok('user.update', { name: 'Anna' });
  await ann.ok('user.update', { name: 'Annette' });

  const back = await connectAgain(scene, ann);
  await back.ok('user.update', { name: 'Annabel' });
  const event = await back.event('user.updated');

  assert.equal(ann.welcome.me.seq, 0);
  assert.deepEqual(back.welcome.me, { epoch: ann.welcome.me.epoch, seq: 2 });
  assert.equal(event.seq, 3);
  assert.equal(back.events('user.updated').length, 1);
});

verifies(['P-5.14', 'P-5.11'], 'replays the own log by room.sync', async (scene) => {
  const ann = await scene.join('ann');
  const { epoch } = ann.welcome.me;
  const fresh = await readPage(ann, '@me', { epoch, seq: 0 });
  for (const name of ['Anna', 'Annette', 'Annabel']) await ann.ok('user.update', { name });

  const page = await readPage(ann, '@me', { epoch, seq: 1 });
  const mismatch = await replay(ann, '@me', { epoch: 'another', seq: 1 });
  const ahead = await replay(ann, '@me', { epoch, seq: 4 });

  const whole = { room: '@me', epoch, complete: true, hasMore: false } as const;
  assert.deepEqual(fresh, { ...whole, seq: 0, events: [] });
  assert.deepEqual(page, { ...whole, seq: 3, events: ann.events('user.updated').slice(1) });
  const incomplete = { room: '@me', epoch, seq: 3, complete: false } as const;
  assert.deepEqual(mismatch, { ...incomplete, reason: 'epoch_mismatch' });
  assert.deepEqual(ahead, { ...incomplete, reason: 'ahead' });
});

verifies(
  ['P-5.14', 'P-9.8'],
  'delivers events of the own log live between pages',
  async (scene) => {
    const ann = await scene.join('ann');
    const { epoch } = ann.welcome.me;
    for (const number of range(1, 12)) await ann.ok('user.update', { name: `n-${String(number)}` });

    const first = await readPage(ann, '@me', { epoch, seq: 0 });
    await ann.ok('user.update', { name: 'live' });
    await ann.event('user.updated', ({ seq }) => seq === 13);
    const second = await readPage(ann, '@me', { epoch, seq: first.seq });

    assert.equal(first.hasMore, true);
    assert.equal(seqsOf(second.events)[0], first.seq + 1);
    assert.deepEqual(seqsOf(ann.logged('@me')), range(1, 13));
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '1024' } },
);

verifies(['P-5.14', 'P-5.12'], 'resumes the own log', async (scene) => {
  const ann = await scene.join('ann');
  const { epoch } = ann.welcome.me;
  for (const name of ['Anna', 'Annette', 'Annabel']) await ann.ok('user.update', { name });

  const back = await connectAgain(scene, ann, { resume: { '@me': { epoch, seq: 1 } } });
  const other = await connectAgain(scene, ann, { resume: { '@me': { epoch: 'another', seq: 1 } } });
  const ahead = await connectAgain(scene, ann, { resume: { '@me': { epoch, seq: 9 } } });
  await ann.ok('user.update', { name: 'live' });
  for (const client of [back, other, ahead]) {
    await client.event('user.updated', ({ seq }) => seq === 4);
  }

  assert.deepEqual(back.welcome.resumed, { '@me': { complete: true, seq: 3 } });
  assert.deepEqual(seqsOf(back.logged('@me')), [2, 3, 4]);
  const because = (reason: string) => ({ '@me': { complete: false, reason } });
  assert.deepEqual(other.welcome.resumed, because('epoch_mismatch'));
  assert.deepEqual(ahead.welcome.resumed, because('ahead'));
  assert.deepEqual(
    seqsOf(other.logged('@me')),
    [4],
    'events are delivered even if the log was not resumed',
  );
  assert.deepEqual(other.welcome.me, { epoch, seq: 3 });
});

/** Renames a user repeatedly while more connections of that user say hello. */
async function helloDuringRenames(
  scene: Scene,
  resumed: boolean,
): Promise<{ late: TestClient[]; head: number }> {
  const ann = await scene.join('ann');
  const { token, me } = ann.welcome;
  const late = await Promise.all(range(1, 6).map(() => scene.connect()));
  const resume = resumed ? { resume: { '@me': me } } : {};

  for (const client of late) {
    const renamed = range(1, 10).map((n) => ann.post('user.update', { name: `name-${String(n)}` }));
    await client.ok('hello', { protocol: 1, token, ...resume });
    await ann.reply(renamed.at(-1));
  }
  await ann.ok('user.update', { name: 'done' });
  return { late, head: 6 * 10 + 1 };
}

verifies(
  ['P-5.14', 'P-3.7'],
  'delivers the own log without gaps after the position in the welcome',
  async (scene) => {
    const { late, head } = await helloDuringRenames(scene, false);

    for (const client of late) {
      await client.event('user.updated', ({ seq }) => seq === head);
      const { seq } = client.welcome.me;
      const seqs = seqsOf(client.logged('@me')).filter((other) => other > seq);
      assert.deepEqual(seqs, range(seq + 1, head));
    }
  },
);

verifies(
  ['P-5.14', 'P-3.7'],
  'loses no event of the own log that is written during the hello',
  async (scene) => {
    const ann = await scene.join('ann');
    await ann.ok('user.update', { name: 'Anna' });
    const late = await scene.connect();

    const held = await HeldWriter.hold(scene.server);
    const renamed = ann.post('user.update', { name: 'Annette' });
    await held.untilQueued(1);
    const hello = late.post('hello', { protocol: 1, token: ann.welcome.token });
    await held.untilQueued(2);
    held.release();
    await late.reply(hello);
    await ann.reply(renamed);
    await late.roundTrip();

    const { me, user } = late.welcome;
    const seqs = seqsOf(late.logged('@me')).filter((seq) => seq > me.seq);
    assert.deepEqual({ seqs, name: user.name }, { seqs: range(me.seq + 1, 2), name: 'Annette' });
  },
  { settings: {} },
);

verifies(
  ['P-5.14', 'P-5.12', 'P-3.7'],
  'keeps the order of the own log during a resume',
  async (scene) => {
    const { late, head } = await helloDuringRenames(scene, true);

    for (const client of late) {
      await client.event('user.updated', ({ seq }) => seq === head);
      assert.equal(client.welcome.resumed['@me']?.complete, true);
      assert.deepEqual(seqsOf(client.logged('@me')), range(1, head));
    }
  },
);

verifies(
  ['P-5.14', 'P-4.2', 'P-6.12'],
  'refuses @me as a room in all other commands',
  async (scene) => {
    const { clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const room = '@me';
    const message = 'some-message';

    for (const [cmd, data] of [
      ['room.create', {}] as const,
      ['room.join', { create: true }] as const,
      ['room.leave', {}] as const,
      ['room.get', {}] as const,
      ['room.members', {}] as const,
      ['room.update', { title: 'Mine' }] as const,
      ['room.sync', {}] as const,
      ['message.send', { text: 'hi' }] as const,
      ['message.delete', { message }] as const,
      ['message.edit', { message, text: 'hi' }] as const,
      ['message.react', { message, emoji: '👍' }] as const,
      ['message.unreact', { message, emoji: '👍' }] as const,
      ['message.history', {}] as const,
      ['message.status', { cid: 'c-1' }] as const,
      ['typing.set', { active: true }] as const,
    ]) {
      await ann.expectError(cmd, { room, ...data }, 'forbidden');
    }
  },
);
