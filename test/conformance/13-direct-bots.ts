import assert from 'node:assert/strict';

import { botId } from '#src/users/bot-accounts.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { nextAnswer } from './bot-answers.js';
import { idOf, openDirectRoom } from './directs.js';
import { say } from './meeting.js';
import { nextMessage, registerRemoteBot } from './remote-bot.js';
import { verifiesCore } from './suite.js';

/** Finds a bot by name in `bot.status`, as clients do. */
async function findBot(client: TestClient, name: string) {
  const { bots } = await client.ok('bot.status', {});
  const found = bots.find(({ bot }) => bot.name === name);
  assert(found !== undefined, `the server has a bot ${name}`);
  return found;
}

verifiesCore(
  ['P-13.2', 'P-5.17', 'P-13.3', 'P-13.5'],
  'opens a direct room with a bot, in which every message addresses the bot',
  async (scene) => {
    const ann = await scene.join('ann');
    const { bot, wants } = await findBot(ann, 'dice');
    const { room, created, members } = await ann.ok('dm.open', { user: bot.id });
    const status = await ann.ok('bot.status', { room });
    const { commands } = await ann.ok('bot.commands', { room });
    const answers: string[] = [];
    for (const text of ['/roll 2d6', 'roll 2d6', '@dice roll', '/roll@dice']) {
      const asked = await say(ann, room, text);
      const { cause, hops, text: said } = await nextAnswer(ann);
      assert.deepEqual({ cause, hops }, { cause: asked.id, hops: 1 }, text);
      answers.push(said);
    }

    assert.equal(created, true);
    assert(members.some(({ user }) => user.id === bot.id));
    assert.deepEqual(
      status.bots.map((one) => ({ bot: one.bot, scopes: one.scopes })),
      [{ bot, scopes: wants }],
    );
    assert.deepEqual(
      commands.map(({ name }) => name),
      ['roll'],
    );
    assert(answers.every((text) => text.startsWith('🎲 ')));
    assert.equal((await ann.ok('dm.open', { user: bot.id })).created, false);
  },
);

verifiesCore(
  ['P-13.2', 'P-13.5'],
  'offers the commands of help in a direct room',
  async (scene) => {
    const ann = await scene.join('ann');
    const { bot } = await findBot(ann, 'help');
    const { room } = await ann.ok('dm.open', { user: bot.id });
    await say(ann, room, '/help');
    const first = await nextAnswer(ann);
    await say(ann, room, 'what now?');
    const second = await nextAnswer(ann);

    assert.match(first.text, /^@help: /u);
    assert.equal(second.text, first.text);
  },
);

verifiesCore(
  ['P-13.8', 'P-13.9', 'P-13.2', 'P-5.17'],
  'delivers a direct room to a remote bot, including messages sent before it connected',
  async (scene) => {
    const token = await registerRemoteBot(scene);
    const ann = await scene.join('ann');
    const { room } = await ann.ok('dm.open', { user: botId('remote') });
    const first = await say(ann, room, 'are you there?');
    const remote = await scene.join('remote', { token });
    const received = await nextMessage(remote);
    await remote.ok('bot.ack', { room, seq: received.seq });
    await remote.ok('message.send', { room, text: 'yes', cause: received.message.id });
    const answer = await nextAnswer(ann);
    const second = await say(ann, room, '@someone else');
    const { message } = await nextMessage(remote);
    const { info } = await remote.ok('room.get', { room });
    await remote.roundTrip();

    assert.deepEqual({ first: received.message, second: message }, { first, second });
    assert.deepEqual(
      { text: answer.text, cause: answer.cause, hops: answer.hops },
      { text: 'yes', cause: first.id, hops: 1 },
    );
    assert.equal(info.kind, 'direct');
    assert.equal(remote.events('dm.opened').length, 0, 'bots learn of a room by its messages');
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.8', 'P-5.16', 'P-8.3'],
  'stops bots from opening rooms and seeing those of others, and lets users block them',
  async (scene) => {
    const token = await registerRemoteBot(scene);
    const { ann, bob, room } = await openDirectRoom(scene);
    const own = await ann.ok('dm.open', { user: botId('remote') });
    const remote = await scene.join('remote', { token });
    await say(ann, room, 'between us');
    await say(ann, own.room, 'hi');
    const received = await nextMessage(remote);
    await remote.expectError('dm.open', { user: idOf(bob) }, 'forbidden');
    await remote.expectError('dm.list', {}, 'forbidden');
    await remote.expectError('user.block', { user: idOf(ann) }, 'forbidden');
    const secret = await remote.expectError('room.get', { room }, 'not_found');
    const missing = { room: `@dm-${'x'.repeat(24)}` };
    assert.deepEqual(await remote.expectError('room.get', missing, 'not_found'), secret);
    await remote.expectError('message.send', { room, text: 'hi' }, 'not_found');
    await remote.expectError('bot.load', { owner: { room } }, 'not_found');
    await ann.ok('user.block', { user: botId('remote') });
    await remote.expectError('message.send', { room: own.room, text: 'hi' }, 'blocked');
    await remote.expectError('typing.set', { room: own.room, active: true }, 'blocked');
    await ann.expectError('message.send', { room: own.room, text: 'hi' }, 'blocked');

    assert.deepEqual(
      { text: received.message.text, room: received.room },
      { text: 'hi', room: own.room },
    );
  },
  { settings: {} },
);

verifiesCore(
  ['P-5.16', 'P-13.3'],
  'does not add configured bots to direct rooms',
  async (scene) => {
    const { ann, room } = await openDirectRoom(scene);
    const shared = scene.room();
    await ann.ok('room.join', { room: shared, create: true });
    // Bots are added after the commit, in the order of the rooms.
    await eventually(
      async () => (await ann.ok('bot.status', { room: shared })).bots.length === 1,
      'the bot in the other room',
    );
    const { bots } = await ann.ok('bot.status', { room });
    const { info } = await ann.ok('room.get', { room });

    assert.deepEqual({ bots, memberCount: info.memberCount }, { bots: [], memberCount: 2 });
  },
  { settings: { PARLANCE_ROOM_BOTS: 'dice' } },
);
