import assert from 'node:assert/strict';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { isFromBot, nextAnswer } from './bot-answers.js';
import { connectAgain, meet, say } from './meeting.js';
import { readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

async function createRoomWithDice(scene: Parameters<typeof meet>[0]) {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const added = await ann.ok('bot.add', { room, bot: 'dice' });
  return { room, ann, bob, added, dice: added.member.user };
}

verifiesCore(['P-13.1', 'P-4.2', 'P-8.2'], 'reserves the names of bots', async (scene) => {
  const ann = await scene.join('ann');
  for (const name of ['dice', 'Dice', ' D i c e ', 'dicé', 'dіce', 'd1ce', '@dice!', 'ＤＩＣＥ']) {
    const stranger = await scene.connect();
    await stranger.expectError('hello', { protocol: 1, name }, 'name_reserved');
    await ann.expectError('user.update', { name }, 'name_reserved');
  }
  for (const name of ['dicey', 'dic', 'ann dice']) await ann.ok('user.update', { name });
});

verifiesCore(
  ['P-13.3', 'P-13.1', 'P-13.6'],
  'lets the owner of a room add a bot with scopes',
  async (scene) => {
    const { room, ann, bob, added, dice } = await createRoomWithDice(scene);
    const joined = await bob.event('member.joined', ({ member }) => member.user.kind === 'bot');
    const narrowed = await ann.ok('bot.add', { room, bot: 'dice', scopes: ['messages:read'] });
    const status = await bob.ok('bot.status', { room });
    const all = await bob.ok('bot.status', {});
    const { member: readded } = await ann.ok('bot.add', { room, bot: 'dice' });

    assert.deepEqual(joined.member, added.member);
    assert.deepEqual({ name: dice.name, kind: dice.kind }, { name: 'dice', kind: 'bot' });
    assert.deepEqual(added.scopes, ['messages:addressed', 'messages:write']);
    assert.deepEqual(narrowed.scopes, [], 'the bot does not want these scopes');
    assert.deepEqual(
      status.bots.map(({ bot, state, scopes }) => ({ bot, state, scopes })),
      [{ bot: dice, state: 'active', scopes: [] }],
    );
    const known = all.bots.find(({ bot }) => bot.name === 'dice');
    assert.deepEqual(known?.wants, ['messages:addressed', 'messages:write']);
    assert.equal(known.scopes, undefined);
    assert.deepEqual(readded, added.member, 'the bot is a member once');
    await bob.expectError('bot.add', { room, bot: 'dice' }, 'forbidden');
    await ann.expectError('bot.add', { room, bot: 'nobody' }, 'not_found');
    await ann.expectError('bot.add', { room: scene.room(), bot: 'dice' }, 'not_found');
    await ann.expectError('bot.add', { room: '@me', bot: 'dice' }, 'forbidden');
    await ann.expectError('bot.add', { room, bot: 'dice', scopes: ['all'] as never }, 'invalid');
    const stranger = await scene.join('cyd');
    await stranger.expectError('bot.add', { room, bot: 'dice' }, 'not_member');
    await stranger.expectError('bot.status', { room }, 'not_member');
  },
);

verifiesCore(['P-13.4'], 'lets the owner of a room remove a bot', async (scene) => {
  const { room, ann, bob, dice } = await createRoomWithDice(scene);
  await bob.expectError('bot.remove', { room, bot: 'dice' }, 'forbidden');
  const removed = await ann.ok('bot.remove', { room, bot: 'dice' });
  const left = await bob.event('member.left');
  await say(bob, room, '/roll');
  await ann.ok('bot.add', { room, bot: 'dice' });
  const asked = await say(bob, room, '/roll');
  const answer = await nextAnswer(bob);
  await ann.ok('bot.remove', { room, bot: 'dice' });

  assert.deepEqual(
    { user: left.user, reason: left.reason, seq: left.seq },
    { user: dice, reason: 'left', seq: removed.seq },
  );
  assert.equal(answer.cause, asked.id, 'messages sent without the bot are not answered');
  await ann.expectError('bot.remove', { room, bot: 'dice' }, 'not_member');
  await ann.expectError('bot.remove', { room, bot: 'nobody' }, 'not_found');
  await ann.expectError('bot.remove', { room: '@me', bot: 'dice' }, 'forbidden');
});

verifiesCore(
  ['P-13.3', 'P-13.4'],
  'applies adds and removes of a bot in order, also when they run at the same time',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    // One connection would run these commands one after another.
    const tabs = [ann, await connectAgain(scene, ann), await connectAgain(scene, ann)];
    const target = { room, bot: 'dice' };
    const atOnce = async (...commands: readonly ('bot.add' | 'bot.remove')[]) => {
      const held = await HeldWriter.hold(scene.server);
      const replies: ReturnType<TestClient['reply']>[] = [];
      for (const [index, command] of commands.entries()) {
        const tab = tabs[index] ?? ann;
        replies.push(tab.reply(tab.post(command, target)));
        await held.untilQueued(replies.length);
      }
      held.release();
      for (const reply of await Promise.all(replies)) assert(reply.ok);
    };
    const statuses = async () => (await ann.ok('bot.status', { room })).bots;

    await atOnce('bot.add', 'bot.remove');
    assert.deepEqual(await statuses(), []);
    await atOnce('bot.add', 'bot.add', 'bot.remove');
    assert.deepEqual(await statuses(), []);
    await say(bob, room, '/roll');
    await atOnce('bot.add', 'bot.remove', 'bot.add');
    assert.equal((await statuses()).length, 1);
    const asked = await say(bob, room, '/roll');
    const answer = await nextAnswer(bob);

    assert.equal(answer.cause, asked.id, 'messages sent without the bot are not answered');
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.2', 'P-6.6', 'P-6.5'],
  'delivers addressed messages to a bot',
  async (scene) => {
    const { room, bob, dice } = await createRoomWithDice(scene);
    const texts = ['/roll', '/ROLL 2d6', '@dice roll', '@Dice: roll 2d4', '/roll@dice 3d6'];
    for (const text of texts) {
      const asked = await say(bob, room, text);
      const { sender, cause, replyTo, text: said } = await nextAnswer(bob);
      assert.deepEqual(
        { sender, cause, replyTo },
        { sender: dice, cause: asked.id, replyTo: asked.id },
        text,
      );
      assert.match(said, /^🎲 /u);
    }
    const { id } = (await readHistory(bob, room)).at(-1) ?? {};
    const reply = await say(bob, room, 'roll 2d2', { replyTo: id ?? '' });
    const answer = await nextAnswer(bob);
    assert.equal(answer.cause, reply.id, 'a reply to a message of the bot');
  },
);

verifiesCore(['P-13.2'], 'delivers no other messages to a bot', async (scene) => {
  const { room, bob } = await createRoomWithDice(scene);
  const notAddressed = [
    'roll',
    'dice roll',
    '@dicey roll',
    '@bob /roll',
    '/rolls',
    '/roll@poll',
    'a /roll',
  ];
  for (const text of notAddressed) await say(bob, room, text);
  const asked = await say(bob, room, '/roll');
  const answer = await nextAnswer(bob);
  assert.equal(answer.cause, asked.id, 'only this message is answered');
});

verifiesCore(
  ['P-13.5', 'P-13.7'],
  'lists commands, and answers a misspelled command with its usage',
  async (scene) => {
    const { room, bob, dice } = await createRoomWithDice(scene);
    const { commands } = await bob.ok('bot.commands', { room });
    const asked = await say(bob, room, '/roll many');
    const notice = await nextAnswer(bob);

    assert.deepEqual(
      commands.map(({ bot, name }) => ({ bot, name })),
      [{ bot: dice, name: 'roll' }],
    );
    assert.match(commands[0]?.help ?? '', /2d6/);
    assert.deepEqual(
      { kind: notice.kind, cause: notice.cause, hops: notice.hops },
      { kind: 'notice', cause: asked.id, hops: 1 },
    );
    assert.match(notice.text, /2d6/);
    const stranger = await scene.join('cyd');
    await stranger.expectError('bot.commands', { room }, 'not_member');
    await stranger.expectError('bot.commands', { room: scene.room() }, 'not_found');
    await stranger.expectError('bot.commands', { room: '@me' }, 'forbidden');
  },
);

verifiesCore(
  ['P-13.7'],
  'delivers notices to no bot, and counts hops between bots',
  async (scene) => {
    const { room, ann } = await createRoomWithDice(scene);
    const notice = await ann.ok('message.send', { room, text: '/roll', kind: 'notice' });
    const asked = await say(ann, room, '/roll');
    const answer = await nextAnswer(ann);
    const ofUser = await say(ann, room, 'hi', { cause: answer.id });

    assert.equal(notice.message.kind, 'notice');
    assert.deepEqual({ cause: answer.cause, hops: answer.hops }, { cause: asked.id, hops: 1 });
    assert.equal(ofUser.hops, undefined, 'only messages of bots have hops');
    assert.deepEqual((await readHistory(ann, room)).at(-2), answer);
  },
);

verifiesCore(
  ['P-13.3', 'P-5.2', 'P-5.4'],
  'answers the first message of a new room that is sent right after room.create',
  async (scene) => {
    const ann = await scene.join('ann');
    const rooms = Array.from({ length: 12 }, () => scene.room());
    for (const [index, room] of rooms.entries()) {
      if (index % 2 === 0) ann.post('room.create', { room });
      else ann.post('room.join', { room, create: true });
      ann.post('message.send', { room, text: '@dice roll' });
    }

    for (const room of rooms) {
      const answer = await ann.event(
        'message.created',
        (event) => event.room === room && isFromBot(event),
      );
      assert.match(answer.message.text, /\d/);
    }
    const created = await ann.ok('room.create', { room: scene.room() });
    assert.deepEqual(
      created.members.map(({ user, role }) => ({ name: user.name, role })),
      [
        { name: 'ann', role: 'owner' },
        { name: 'dice', role: 'member' },
      ],
    );
  },
  { settings: { PARLANCE_ROOM_BOTS: 'dice' } },
);

verifiesCore(
  ['P-13.3', 'P-13.4'],
  'removes bots that the operator no longer configures, also those without code',
  async (scene) => {
    const names = async (client: TestClient, room: string) => {
      const { members } = await client.ok('room.members', { room });
      return members.flatMap(({ user }) => (user.kind === 'bot' ? [user.name] : [])).sort();
    };
    const ann = await scene.join('ann');
    const { token } = ann.welcome;
    await ann.ok('room.join', { room: 'general' });
    const [created, own] = [scene.room(), scene.room()];
    for (const room of [created, own]) await ann.ok('room.create', { room });
    await ann.ok('bot.remove', { room: own, bot: 'welcome' });
    await ann.ok('bot.add', { room: own, bot: 'welcome' });
    await ann.ok('bot.add', { room: own, bot: 'poll' });
    const before = await Promise.all(['general', created, own].map((room) => names(ann, room)));
    await scene.server?.stop();

    const running = await scene.start({
      ...scene.server?.env,
      PARLANCE_ROOM_BOTS: 'help',
      PARLANCE_WITHOUT_BOTS: 'dice,poll',
    });
    const back = await running.connect();
    await back.ok('hello', { protocol: 1, ...(token === undefined ? {} : { token }) });
    const after = await Promise.all(['general', created, own].map((room) => names(back, room)));
    await back.ok('bot.remove', { room: own, bot: 'poll' });
    await back.expectError('bot.remove', { room: own, bot: 'poll' }, 'not_found');

    assert.deepEqual(before, [
      ['dice', 'welcome'],
      ['dice', 'welcome'],
      ['dice', 'poll', 'welcome'],
    ]);
    assert.deepEqual(after, [['help'], [], ['poll', 'welcome']]);
    assert.deepEqual(await names(back, own), ['welcome']);
  },
  { settings: { PARLANCE_ROOM_BOTS: 'welcome,dice' } },
);
