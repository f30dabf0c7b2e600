import assert from 'node:assert/strict';

import type { EventData } from '#src/protocol/events.js';

import type { TestClient } from '../support/client.js';
import { HeldWriter } from '../support/held-writer.js';
import { again, meet, say } from './meeting.js';
import { readHistory } from './reading.js';
import { verifies } from './suite.js';

const isBots = ({ message }: EventData<'message.created'>) => message.sender.kind === 'bot';

/** Gives what a bot says next. */
async function answerTo(client: TestClient) {
  return (await client.event('message.created', isBots)).message;
}

async function withDice(scene: Parameters<typeof meet>[0]) {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const added = await ann.ok('bot.add', { room, bot: 'dice' });
  return { room, ann, bob, added, dice: added.member.user };
}

verifies(['P-13.1', 'P-4.2', 'P-8.2'], 'keeps the names of bots for them', async (scene) => {
  const ann = await scene.join('ann');
  for (const name of ['dice', 'Dice', ' D i c e ', 'dicé', 'dіce', 'd1ce', '@dice!', 'ＤＩＣＥ']) {
    const stranger = await scene.connect();
    await stranger.refused('hello', { protocol: 1, name }, 'name_reserved');
    await ann.refused('user.update', { name }, 'name_reserved');
  }
  for (const name of ['dicey', 'dic', 'ann dice']) await ann.ok('user.update', { name });
});

verifies(
  ['P-13.3', 'P-13.1', 'P-13.6'],
  'lets the owner of a room add a bot, with scopes',
  async (scene) => {
    const { room, ann, bob, added, dice } = await withDice(scene);
    const joined = await bob.event('member.joined', ({ member }) => member.user.kind === 'bot');
    const narrowed = await ann.ok('bot.add', { room, bot: 'dice', scopes: ['messages:read'] });
    const status = await bob.ok('bot.status', { room });
    const all = await bob.ok('bot.status', {});
    const { member: again } = await ann.ok('bot.add', { room, bot: 'dice' });

    assert.deepEqual(joined.member, added.member);
    assert.deepEqual([dice.name, dice.kind], ['dice', 'bot']);
    assert.deepEqual(added.scopes, ['messages:addressed', 'messages:write']);
    assert.deepEqual(narrowed.scopes, [], 'it does not want more');
    assert.deepEqual(
      status.bots.map(({ bot, state, scopes }) => [bot, state, scopes]),
      [[dice, 'active', []]],
    );
    const known = all.bots.find(({ bot }) => bot.name === 'dice');
    assert.deepEqual(known?.wants, ['messages:addressed', 'messages:write']);
    assert.equal(known.scopes, undefined);
    assert.deepEqual(again, added.member, 'it is a member once');
    await bob.refused('bot.add', { room, bot: 'dice' }, 'forbidden');
    await ann.refused('bot.add', { room, bot: 'nobody' }, 'not_found');
    await ann.refused('bot.add', { room: scene.room(), bot: 'dice' }, 'not_found');
    await ann.refused('bot.add', { room: '@me', bot: 'dice' }, 'forbidden');
    await ann.refused('bot.add', { room, bot: 'dice', scopes: ['all'] as never }, 'invalid');
    const stranger = await scene.join('cyd');
    await stranger.refused('bot.add', { room, bot: 'dice' }, 'not_member');
    await stranger.refused('bot.status', { room }, 'not_member');
  },
);

verifies(['P-13.4'], 'lets the owner of a room remove a bot', async (scene) => {
  const { room, ann, bob, dice } = await withDice(scene);
  await bob.refused('bot.remove', { room, bot: 'dice' }, 'forbidden');
  const removed = await ann.ok('bot.remove', { room, bot: 'dice' });
  const left = await bob.event('member.left');
  await say(bob, room, '/roll');
  await ann.ok('bot.add', { room, bot: 'dice' });
  const asked = await say(bob, room, '/roll');
  const answer = await answerTo(bob);
  await ann.ok('bot.remove', { room, bot: 'dice' });

  assert.deepEqual([left.user, left.reason, left.seq], [dice, 'left', removed.seq]);
  assert.equal(answer.cause, asked.id, 'what was said without it is not answered');
  await ann.refused('bot.remove', { room, bot: 'dice' }, 'not_member');
  await ann.refused('bot.remove', { room, bot: 'nobody' }, 'not_found');
  await ann.refused('bot.remove', { room: '@me', bot: 'dice' }, 'forbidden');
});

verifies(
  ['P-13.3', 'P-13.4'],
  'has a bot where it was put last, also by two commands that are carried out at once',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    // A connection has one of these commands carried out after the other.
    const tabs = [ann, await again(scene, ann), await again(scene, ann)];
    const target = { room, bot: 'dice' };
    const atOnce = async (...commands: readonly ('bot.add' | 'bot.remove')[]) => {
      const held = await HeldWriter.of(scene.server);
      const replies: ReturnType<TestClient['reply']>[] = [];
      for (const [index, command] of commands.entries()) {
        const tab = tabs[index] ?? ann;
        replies.push(tab.reply(tab.post(command, target)));
        await held.waiting(replies.length);
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
    const answer = await answerTo(bob);

    assert.equal(answer.cause, asked.id, 'what was said without it is not answered');
  },
  { settings: {} },
);

verifies(['P-13.2', 'P-6.6', 'P-6.5'], 'gives a bot what addresses it', async (scene) => {
  const { room, bob, dice } = await withDice(scene);
  const texts = ['/roll', '/ROLL 2d6', '@dice roll', '@Dice: roll 2d4', '/roll@dice 3d6'];
  for (const text of texts) {
    const asked = await say(bob, room, text);
    const { sender, cause, replyTo, text: said } = await answerTo(bob);
    assert.deepEqual([sender, cause, replyTo], [dice, asked.id, asked.id], text);
    assert.match(said, /^🎲 /u);
  }
  const { id } = (await readHistory(bob, room)).at(-1) ?? {};
  const reply = await say(bob, room, 'roll 2d2', { replyTo: id ?? '' });
  const answer = await answerTo(bob);
  assert.equal(answer.cause, reply.id, 'a reply to a message of the bot');
});

verifies(['P-13.2'], 'gives a bot nothing else', async (scene) => {
  const { room, bob } = await withDice(scene);
  const others = [
    'roll',
    'dice roll',
    '@dicey roll',
    '@bob /roll',
    '/rolls',
    '/roll@poll',
    'a /roll',
  ];
  for (const text of others) await say(bob, room, text);
  const asked = await say(bob, room, '/roll');
  const answer = await answerTo(bob);
  assert.equal(answer.cause, asked.id, 'it answers in the order of the log');
});

verifies(['P-13.5', 'P-13.7'], 'lists commands, and says how they are written', async (scene) => {
  const { room, bob, dice } = await withDice(scene);
  const { commands } = await bob.ok('bot.commands', { room });
  const asked = await say(bob, room, '/roll many');
  const notice = await answerTo(bob);

  assert.deepEqual(
    commands.map(({ bot, name }) => [bot, name]),
    [[dice, 'roll']],
  );
  assert.match(commands[0]?.help ?? '', /2d6/);
  assert.deepEqual([notice.kind, notice.cause, notice.hops], ['notice', asked.id, 1]);
  assert.match(notice.text, /2d6/);
  const stranger = await scene.join('cyd');
  await stranger.refused('bot.commands', { room }, 'not_member');
  await stranger.refused('bot.commands', { room: scene.room() }, 'not_found');
  await stranger.refused('bot.commands', { room: '@me' }, 'forbidden');
});

verifies(['P-13.7'], 'gives notices to no bot, and counts the bots in a row', async (scene) => {
  const { room, ann } = await withDice(scene);
  const notice = await ann.ok('message.send', { room, text: '/roll', kind: 'notice' });
  const asked = await say(ann, room, '/roll');
  const answer = await answerTo(ann);
  const people = await say(ann, room, 'hi', { cause: answer.id });

  assert.equal(notice.message.kind, 'notice');
  assert.deepEqual([answer.cause, answer.hops], [asked.id, 1]);
  assert.equal(people.hops, undefined, 'only messages of bots are stamped');
  assert.deepEqual((await readHistory(ann, room)).at(-2), answer);
});
