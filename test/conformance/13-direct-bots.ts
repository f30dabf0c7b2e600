import assert from 'node:assert/strict';

import type { EventData } from '#src/protocol/events.js';
import { botId } from '#src/users/bot-accounts.service.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { inDirectRoom, idOf } from './directs.js';
import { next, register } from './far-bot.js';
import { say } from './meeting.js';
import { verifies } from './suite.js';

const isBots = ({ message }: EventData<'message.created'>) => message.sender.kind === 'bot';

/** Gives what a bot says next. */
async function answerTo(client: TestClient) {
  return (await client.event('message.created', isBots)).message;
}

/** Finds a bot of the server by its name, as clients do. */
async function findBot(client: TestClient, name: string) {
  const { bots } = await client.ok('bot.status', {});
  const found = bots.find(({ bot }) => bot.name === name);
  assert(found !== undefined, `there is a bot ${name}`);
  return found;
}

verifies(
  ['P-13.2', 'P-5.17', 'P-13.3', 'P-13.5'],
  'has a direct room with a bot, where every message addresses it',
  async (scene) => {
    const ann = await scene.join('ann');
    const { bot, wants } = await findBot(ann, 'dice');
    const { room, created, members } = await ann.ok('dm.open', { user: bot.id });
    const status = await ann.ok('bot.status', { room });
    const { commands } = await ann.ok('bot.commands', { room });
    const answers: string[] = [];
    for (const text of ['/roll 2d6', 'roll 2d6', '@dice roll', '/roll@dice']) {
      const asked = await say(ann, room, text);
      const { cause, hops, text: said } = await answerTo(ann);
      assert.deepEqual([cause, hops], [asked.id, 1], text);
      answers.push(said);
    }

    assert.equal(created, true);
    assert(members.some(({ user }) => user.id === bot.id));
    assert.deepEqual(
      status.bots.map((one) => [one.bot, one.scopes]),
      [[bot, wants]],
    );
    assert.deepEqual(
      commands.map(({ name }) => name),
      ['roll'],
    );
    assert(answers.every((text) => text.startsWith('🎲 ')));
    assert.equal((await ann.ok('dm.open', { user: bot.id })).created, false);
  },
);

verifies(['P-13.2', 'P-13.5'], 'has commands for help in a direct room', async (scene) => {
  const ann = await scene.join('ann');
  const { bot } = await findBot(ann, 'help');
  const { room } = await ann.ok('dm.open', { user: bot.id });
  await say(ann, room, '/help');
  const first = await answerTo(ann);
  await say(ann, room, 'what now?');
  const second = await answerTo(ann);

  assert.match(first.text, /^@help: /u);
  assert.equal(second.text, first.text);
});

verifies(
  ['P-13.8', 'P-13.9', 'P-13.2', 'P-5.17'],
  'delivers a direct room to a bot from afar, also what was said before it came',
  async (scene) => {
    const token = await register(scene);
    const ann = await scene.join('ann');
    const { room } = await ann.ok('dm.open', { user: botId('far') });
    const first = await say(ann, room, 'are you there?');
    const far = await scene.join('far', { token });
    const given = await next(far);
    await far.ok('bot.ack', { room, seq: given.seq });
    await far.ok('message.send', { room, text: 'yes', cause: given.message.id });
    const answer = await answerTo(ann);
    const second = await say(ann, room, '@someone else');
    const { message } = await next(far);
    const { info } = await far.ok('room.get', { room });
    await far.settled();

    assert.deepEqual([given.message, message], [first, second]);
    assert.deepEqual([answer.text, answer.cause, answer.hops], ['yes', first.id, 1]);
    assert.equal(info.kind, 'direct');
    assert.equal(far.events('dm.opened').length, 0, 'bots are told by what they are given');
  },
  { settings: {} },
);

verifies(
  ['P-13.8', 'P-5.16', 'P-8.3'],
  'has bots open no rooms, see none of others, and be blocked',
  async (scene) => {
    const token = await register(scene);
    const { ann, bob, room } = await inDirectRoom(scene);
    const own = await ann.ok('dm.open', { user: botId('far') });
    const far = await scene.join('far', { token });
    await say(ann, room, 'between us');
    await say(ann, own.room, 'hi');
    const given = await next(far);
    await far.refused('dm.open', { user: idOf(bob) }, 'forbidden');
    await far.refused('dm.list', {}, 'forbidden');
    await far.refused('user.block', { user: idOf(ann) }, 'forbidden');
    const secret = await far.refused('room.get', { room }, 'not_found');
    const missing = { room: `@dm-${'x'.repeat(24)}` };
    assert.deepEqual(await far.refused('room.get', missing, 'not_found'), secret);
    await far.refused('message.send', { room, text: 'hi' }, 'not_found');
    await far.refused('bot.load', { owner: { room } }, 'not_found');
    await ann.ok('user.block', { user: botId('far') });
    await far.refused('message.send', { room: own.room, text: 'hi' }, 'blocked');
    await far.refused('typing.set', { room: own.room, active: true }, 'blocked');
    await ann.refused('message.send', { room: own.room, text: 'hi' }, 'blocked');

    assert.deepEqual([given.message.text, given.room], ['hi', own.room]);
  },
  { settings: {} },
);

verifies(
  ['P-5.16', 'P-13.3'],
  'puts the bots of the operator into no direct room',
  async (scene) => {
    const { ann, room } = await inDirectRoom(scene);
    const shared = scene.room();
    await ann.ok('room.join', { room: shared, create: true });
    // Bots are added after the commit, in the order of the rooms.
    await eventually(
      async () => (await ann.ok('bot.status', { room: shared })).bots.length === 1,
      'the bot in the other room',
    );
    const { bots } = await ann.ok('bot.status', { room });
    const { info } = await ann.ok('room.get', { room });

    assert.deepEqual([bots, info.memberCount], [[], 2]);
  },
  { settings: { PARLANCE_ROOM_BOTS: 'dice' } },
);
