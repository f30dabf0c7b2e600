import assert from 'node:assert/strict';

import { DEFAULT_SCOPES } from '#src/protocol/bots.js';
import type { Message } from '#src/protocol/models.js';

import { say } from './meeting.js';
import { createRoomWithBot, nextMessage, registerRemoteBot } from './remote-bot.js';
import { verifies, verifiesCore } from './suite.js';

verifiesCore(
  ['P-13.8', 'P-13.9', 'P-5.8'],
  'delivers the messages after its mark to a bot',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const one = await say(ann, room, 'one');
    const two = await say(ann, room, 'two');
    const bot = await connect();
    const events = [await nextMessage(bot), await nextMessage(bot)];
    await bot.ok('bot.ack', { room, seq: one.seq });
    await bot.close();
    const back = await connect();
    const repeated = await nextMessage(back);
    const stored = await back.ok('bot.ack', { room, seq: two.seq });
    const behind = await back.ok('bot.ack', { room, seq: one.seq });
    await back.close();
    const three = await say(ann, room, 'three');
    const live = await connect({ from: 'live' });
    const four = await say(ann, room, 'four');
    const atOnce = await nextMessage(live);
    await live.close();
    const afterLive = await nextMessage(await connect());

    const { user, token, expiresAt } = bot.welcome;
    assert.deepEqual(
      { name: user.name, kind: user.kind, token },
      { name: 'remote', kind: 'bot', token: undefined },
    );
    assert(expiresAt > Date.now() + 1e12, 'its session does not expire');
    assert.deepEqual(
      events.map(({ message, prev }) => ({ message, prev })),
      [
        { message: one, prev: one.seq - 1 },
        { message: two, prev: one.seq },
      ],
    );
    assert.deepEqual(
      { repeated: repeated.message, atOnce: atOnce.message, afterLive: afterLive.message },
      { repeated: two, atOnce: four, afterLive: three },
    );
    assert.deepEqual(stored, { room, seq: two.seq });
    assert.deepEqual(behind, { room, seq: two.seq });
  },
  { settings: {} },
);

verifies(
  'P-13.9',
  'keeps at most as many messages in flight as the bot accepts, and skips none',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bot = await connect({ inFlight: 4 });
    const sent: number[] = [];
    for (let i = 0; i < 80; i++) sent.push((await say(ann, room, String(i))).seq);
    const seen: number[] = [];
    while (seen.length < sent.length) {
      const { seq } = await nextMessage(bot);
      seen.push(seq);
      assert(bot.events('message.created').length <= seen.length + 4);
      await bot.ok('bot.ack', { room, seq });
    }

    assert.deepEqual(seen, sent);
    await bot.expectError('bot.ack', { room, seq: 10_000 }, 'invalid');
    await bot.expectError('bot.ack', { room: scene.room(), seq: 1 }, 'not_found');
    await ann.expectError('bot.ack', { room, seq: 1 }, 'forbidden');
  },
  { settings: {} },
);

verifies(
  ['P-13.9', 'P-9.12'],
  'delivers missed messages as fast as a bot reads',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    // 16,000 bytes each, one after another, so that ann gets no backlog.
    const sent: Message[] = [];
    for (let i = 0; i < 60; i++) sent.push(await say(ann, room, '𐐀'.repeat(4_000)));
    const bot = await connect({ inFlight: 256 });
    for (const message of sent) assert.deepEqual((await nextMessage(bot)).message, message);

    await bot.roundTrip();
  },
  { settings: { PARLANCE_LIMIT_BACKLOG_BYTES: '262144', PARLANCE_LIMIT_SHED_BYTES: '131072' } },
);

verifiesCore(
  ['P-13.1', 'P-13.8'],
  'reserves the name of a bot once it is registered',
  async (scene) => {
    const ann = await scene.join('ann');
    await registerRemoteBot(scene);
    const stranger = await scene.connect();

    await stranger.expectError('hello', { protocol: 1, name: 'R e m o t e' }, 'name_reserved');
    await ann.expectError('user.update', { name: 'rеmote' }, 'name_reserved');
  },
  { settings: {} },
);

verifiesCore(['P-13.8', 'P-13.5'], 'refuses a help text with a newline', async (scene) => {
  const token = await registerRemoteBot(scene);
  for (const help of ['/fly\nbob: I confess', '/fly\u2028away', '/fly\u0000', '']) {
    const bot = await scene.connect();
    const commands = [{ name: 'fly', help }];
    await bot.expectError('hello', { protocol: 1, token, bot: { commands } }, 'invalid');
  }
});

verifiesCore(
  ['P-13.8', 'P-13.3'],
  'lets a bot do what its scopes allow',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bot = await connect({ commands: [{ name: 'fly', help: '/fly', args: ['where'] }] });
    const asked = await say(ann, room, '@remote hello');
    const sent = await bot.ok('message.send', { room, text: 'hi', cause: asked.id });
    const { commands } = await ann.ok('bot.commands', { room });

    assert.equal(sent.message.hops, 1);
    assert.deepEqual(commands, [
      { bot: bot.welcome.user, name: 'fly', help: '/fly', args: ['where'] },
    ]);
    for (const cmd of ['room.join', 'room.sync', 'room.leave', 'room.members'] as const) {
      await bot.expectError(cmd, { room }, 'forbidden');
    }
    await bot.expectError('user.update', { name: 'other' }, 'forbidden');
    await ann.ok('bot.add', { room, bot: 'remote' });
    const { details } = await bot.expectError('message.history', { room }, 'forbidden');
    assert.deepEqual(details, { scope: 'messages:read' });
    await ann.ok('bot.add', { room, bot: 'remote', scopes: [] });
    await bot.expectError('message.send', { room, text: 'hi' }, 'forbidden');
    await bot.expectError('typing.set', { room, active: true }, 'forbidden');
  },
  { settings: {} },
);

verifiesCore(
  ['P-6.13', 'P-13.8'],
  'lets a bot get the messages that it may read, and no others',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene, DEFAULT_SCOPES);
    const bot = await connect();
    const own = (await bot.ok('message.send', { room, text: 'hi' })).message;
    const asked = await say(ann, room, '@remote hello');
    const replied = await say(ann, room, 'and?', { replyTo: own.id });
    const secret = await say(ann, room, 'remote is away');
    const get = async ({ id }: Message) =>
      (await bot.ok('message.get', { room, message: id })).message;
    const refused = (message: string) =>
      bot.expectError('message.get', { room, message }, 'not_found');

    for (const message of [own, asked, replied]) assert.deepEqual(await get(message), message);
    assert.deepEqual(await refused(secret.id), await refused('nothing'));
    await ann.ok('bot.add', { room, bot: 'remote', scopes: ['messages:write'] });
    await refused(asked.id);
    assert.deepEqual(await get(own), own);
    await ann.ok('bot.add', { room, bot: 'remote', scopes: ['messages:read'] });
    assert.deepEqual(await get(secret), secret);
    await ann.ok('bot.remove', { room, bot: 'remote' });
    await bot.expectError('message.get', { room, message: own.id }, 'not_member');
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.8', 'P-5.7', 'P-8.1'],
  'lets a bot look up the owner of a room and the sender of a message',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const { info, you } = await bot.ok('room.get', { room });
    const { user } = await bot.ok('user.get', { user: info.owner ?? '' });

    assert.deepEqual(user, ann.welcome.user);
    assert.deepEqual(you?.user, bot.welcome.user);
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.8', 'P-4.2'],
  'authenticates a bot by its token, of which the last two are valid',
  async (scene) => {
    const first = await registerRemoteBot(scene);
    const second = await registerRemoteBot(scene);
    const third = await registerRemoteBot(scene);
    const greet = async (token: string) => {
      const reply = await (await scene.connect()).call('hello', { protocol: 1, token });
      return reply.ok ? 'ok' : reply.error.code;
    };

    assert.deepEqual(
      {
        first: await greet(first),
        second: await greet(second),
        third: await greet(third),
        unknown: await greet('pbt_x'),
      },
      { first: 'token_invalid', second: 'ok', third: 'ok', unknown: 'token_invalid' },
    );
    const taken = { commands: [{ name: 'roll', help: '/roll' }] };
    const hello = { protocol: 1, token: third, bot: taken };
    await (await scene.connect()).expectError('hello', hello, 'invalid');
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.8', 'P-13.6'],
  'updates the scopes that a bot wants when it is registered again',
  async (scene) => {
    const { room, ann, connect, token } = await createRoomWithBot(scene, DEFAULT_SCOPES);
    await (await connect()).close();
    await registerRemoteBot(scene, 'remote', ['reactions:read']);
    await scene.join('remote', { token });
    const { bots } = await ann.ok('bot.status', { room });
    const { scopes } = await ann.ok('bot.add', { room, bot: 'remote', scopes: ['reactions:read'] });

    assert.deepEqual(bots[0]?.wants, ['reactions:read']);
    assert.deepEqual(scopes, ['reactions:read']);
  },
  { settings: {} },
);

verifies(
  ['P-13.10', 'P-4.5', 'P-2.14'],
  'moves the rooms of a bot to its newest connection',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const old = await connect();
    const sharing = await connect({ mode: 'shared' });
    const bye = await old.event('bye');
    const newest = await connect();
    const secondBye = await sharing.event('bye');
    const one = await say(ann, room, 'one');
    const event = await nextMessage(newest);

    for (const { code, reconnect } of [bye, secondBye]) {
      assert.deepEqual({ code, reconnect }, { code: 4004, reconnect: false });
    }
    assert.deepEqual(event.message, one);
    assert.deepEqual(old.events('message.created'), []);
  },
  { settings: {} },
);

verifiesCore(
  'P-13.10',
  'moves a room to another connection when its holder disconnects',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bots = [await connect({ mode: 'shared' }), await connect({ mode: 'shared' })];
    const first = bots.map((bot) => nextMessage(bot));
    const one = await say(ann, room, 'one');
    const holder = await Promise.race(first.map(async (event, index) => (await event, index)));
    await bots[holder]?.close();
    const [moved] = await Promise.all(first.filter((_, index) => index !== holder));

    assert.deepEqual(moved?.message, one);
    assert.equal(bots[1 - holder]?.events('message.created').length, 1);
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.9'],
  'continues after the mark when the server restarts',
  async (scene) => {
    const { token, room, ann, connect } = await createRoomWithBot(scene);
    const one = await say(ann, room, 'one');
    const bot = await connect();
    await nextMessage(bot);
    await bot.ok('bot.ack', { room, seq: one.seq });
    const two = await say(ann, room, 'two');
    await nextMessage(bot);
    await scene.server?.stop();
    const running = await scene.start(scene.server?.env ?? {});
    const back = await running.connect();
    await back.ok('hello', { protocol: 1, token, bot: {} });

    assert.deepEqual((await nextMessage(back)).message, two);
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.9', 'P-13.3'],
  'delivers messages from the point where the configuration added the bot',
  async (scene) => {
    const token = await registerRemoteBot(scene);
    await scene.server?.stop();
    const running = await scene.start({ ...scene.server?.env, PARLANCE_ROOM_BOTS: 'remote' });
    const [ann, bot] = [await running.connect(), await running.connect()];
    await ann.ok('hello', { protocol: 1 });
    const make = async () => {
      const room = scene.room();
      const { members } = await ann.ok('room.create', { room });
      if (members.some(({ user }) => user.name === 'remote')) return room;
      await ann.event('member.joined', (joined) => {
        return joined.room === room && joined.member.user.name === 'remote';
      });
      return room;
    };
    await ann.ok('room.join', { room: 'general' });
    const sent = [await say(ann, 'general', 'one'), await say(ann, await make(), 'two')];
    await bot.ok('hello', { protocol: 1, token, bot: {} });
    const received = [(await nextMessage(bot)).message, (await nextMessage(bot)).message];
    const later = await say(ann, await make(), 'three');

    const byText = (a: Message, b: Message) => (a.text < b.text ? -1 : 1);
    assert.deepEqual(received.sort(byText), sent);
    assert.deepEqual((await nextMessage(bot)).message, later);
  },
  { settings: {} },
);
