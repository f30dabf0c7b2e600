import assert from 'node:assert/strict';

import { HeldWriter } from '../support/held-writer.js';
import { idOf, openDirectRoom, openWith } from './directs.js';
import { connectAgain, say } from './meeting.js';
import { readCut, readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

verifiesCore(
  ['P-5.16', 'P-5.6'],
  'lets a user leave a direct room and return to it',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    await say(ann, room, 'one');
    await bob.ok('room.leave', { room });
    const left = await ann.event('member.left');
    await bob.expectError('message.history', { room }, 'not_found');
    await bob.expectError('room.leave', { room }, 'not_found');
    const { directs: none } = await bob.ok('dm.list', {});
    const { messages, you } = await bob.ok('room.join', { room });
    const { info } = await bob.event('dm.opened', ({ user }) => user.id === idOf(bob));

    assert.deepEqual(
      { user: left.user, reason: left.reason, memberCount: left.memberCount },
      { user: bob.welcome.user, reason: 'left', memberCount: 1 },
    );
    assert.deepEqual(none, []);
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['one'],
    );
    assert.deepEqual({ user: you.user, room: info.id }, { user: bob.welcome.user, room });
    assert.equal((await readCut(ann, room)).memberCount, 2);
  },
);

verifiesCore(
  ['P-5.16', 'P-5.17'],
  're-adds a user who left on the next message of the other user',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const bobToo = await connectAgain(scene, bob);
    await bob.ok('room.leave', { room });
    const sent = await say(ann, room, 'come back');
    const { user, info } = await bobToo.event('dm.opened', (data) => data.user.id === idOf(ann));
    const { messages } = await readCut(bobToo, room);
    await bob.roundTrip();

    assert.deepEqual(
      { user, memberCount: info.memberCount },
      { user: ann.welcome.user, memberCount: 2 },
    );
    assert.deepEqual(messages, [sent]);
    const joined = await ann.event('member.joined', ({ seq }) => seq === sent.seq - 1);
    assert.deepEqual(joined.member.user, bob.welcome.user);
    assert.deepEqual(
      bob.logged(room).at(-1)?.event,
      'member.left',
      'the membership alone attaches no connection',
    );
  },
);

verifiesCore(
  ['P-5.16', 'P-5.17'],
  're-adds a user who left when the other user opens the room',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    await bob.ok('room.leave', { room });
    await ann.ok('room.leave', { room });
    const { created, memberCount, seq } = await openWith(ann, bob);
    const events = await bob.event('dm.opened', ({ info }) => info.memberCount === 2);
    assert.deepEqual({ created, memberCount, seq }, { created: false, memberCount: 2, seq: 7 });
    assert.equal(events.info.id, room);
    assert.equal((await openWith(bob, ann)).seq, 7, 'opening it again changes nothing');
  },
);

verifiesCore(
  ['P-5.16', 'P-3.5'],
  'orders a simultaneous leave and message',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const race = async (first: 'leave' | 'say') => {
      const held = await HeldWriter.hold(scene.server);
      const steps = {
        leave: () => bob.reply(bob.post('room.leave', { room })),
        say: () => ann.reply(ann.post('message.send', { room, text: first })),
      };
      const order = first === 'leave' ? (['leave', 'say'] as const) : (['say', 'leave'] as const);
      const replies: Promise<{ ok: boolean }>[] = [];
      for (const step of order) {
        replies.push(steps[step]());
        await held.untilQueued(replies.length);
      }
      held.release();
      for (const { ok } of await Promise.all(replies)) assert(ok);
      return (await bob.ok('dm.list', {})).directs.length;
    };

    assert.equal(await race('leave'), 1, 'the message brought bob back');
    assert.equal(await race('say'), 0, 'bob left after the message');
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => text),
      ['leave', 'say'],
    );
  },
  { settings: {} },
);

verifiesCore(
  ['P-5.16', 'P-5.6'],
  'keeps guests who are away for a long time',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    await ann.ok('room.join', { room: 'general' });
    await bob.ok('room.join', { room: 'general' });
    await say(ann, room, 'see you');
    await bob.close();
    await ann.event('member.left', (data) => data.room === 'general' && data.reason === 'away');
    await say(ann, room, 'you are away');
    const back = await connectAgain(scene, bob);

    assert.deepEqual(
      (await readHistory(back, room)).map(({ text }) => text),
      ['see you', 'you are away'],
    );
    assert.deepEqual(
      ann.logged(room).filter(({ event }) => event === 'member.left'),
      [],
    );
    await back.expectError('room.sync', { room: 'general' }, 'not_member');
  },
  { settings: { PARLANCE_GUEST_AWAY_SECONDS: '1' } },
);

verifiesCore(
  ['P-5.16', 'P-5.12', 'P-5.17'],
  'keeps a direct room after a server restart',
  async (scene) => {
    const { ann, bob, cut, room } = await openDirectRoom(scene);
    await say(ann, room, 'before');
    await scene.server?.stop();
    const next = await scene.start(scene.server?.env ?? {});
    const resume = { [room]: { epoch: cut.epoch, seq: cut.seq } };
    const back = await next.connect();
    await back.ok('hello', { protocol: 1, token: bob.welcome.token, resume });
    const annToo = await next.connect();
    await annToo.ok('hello', { protocol: 1, token: ann.welcome.token });
    const { created, epoch, info } = await openWith(annToo, bob);
    await say(annToo, room, 'after');
    const texts: string[] = [];
    for (const text of ['before', 'after']) {
      texts.push((await back.event('message.created', (data) => data.message.text === text)).room);
    }

    assert.deepEqual(back.welcome.resumed[room], { complete: true, seq: 4 });
    assert.deepEqual(
      { created, epoch, info },
      { created: false, epoch: cut.epoch, info: cut.info },
    );
    assert.deepEqual(texts, [room, room]);
    await back.close();
    await annToo.close();
  },
  { settings: {} },
);
