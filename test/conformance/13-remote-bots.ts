import assert from 'node:assert/strict';

import { DEFAULT_SCOPES } from '#src/protocol/bots.js';
import type { Message } from '#src/protocol/models.js';

import { next, register, withBot } from './far-bot.js';
import { say } from './meeting.js';
import { verifies } from './suite.js';

verifies(
  ['P-13.8', 'P-13.9', 'P-5.8'],
  'delivers to a bot what was said since its mark',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const one = await say(ann, room, 'one');
    const two = await say(ann, room, 'two');
    const bot = await connect();
    const events = [await next(bot), await next(bot)];
    await bot.ok('bot.ack', { room, seq: one.seq });
    await bot.close();
    const again = await connect();
    const repeated = await next(again);
    const stored = await again.ok('bot.ack', { room, seq: two.seq });
    const behind = await again.ok('bot.ack', { room, seq: one.seq });
    await again.close();
    const three = await say(ann, room, 'three');
    const live = await connect({ from: 'live' });
    const four = await say(ann, room, 'four');
    const atOnce = await next(live);
    await live.close();
    const afterLive = await next(await connect());

    const { user, token, expiresAt } = bot.welcome;
    assert.deepEqual([user.name, user.kind, token], ['far', 'bot', undefined]);
    assert(expiresAt > Date.now() + 1e12, 'its session does not end');
    assert.deepEqual(
      events.map(({ message, prev }) => [message, prev]),
      [
        [one, one.seq - 1],
        [two, one.seq],
      ],
    );
    assert.deepEqual([repeated.message, atOnce.message, afterLive.message], [two, four, three]);
    assert.deepEqual(stored, { room, seq: two.seq });
    assert.deepEqual(behind, { room, seq: two.seq });
  },
  { settings: {} },
);

verifies(
  'P-13.9',
  'has no more under way than the bot takes, and leaves nothing out',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const bot = await connect({ inFlight: 4 });
    const sent: number[] = [];
    for (let i = 0; i < 80; i++) sent.push((await say(ann, room, String(i))).seq);
    const seen: number[] = [];
    while (seen.length < sent.length) {
      const { seq } = await next(bot);
      seen.push(seq);
      assert(bot.events('message.created').length <= seen.length + 4);
      await bot.ok('bot.ack', { room, seq });
    }

    assert.deepEqual(seen, sent);
    await bot.refused('bot.ack', { room, seq: 10_000 }, 'invalid');
    await bot.refused('bot.ack', { room: scene.room(), seq: 1 }, 'not_found');
    await ann.refused('bot.ack', { room, seq: 1 }, 'forbidden');
  },
  { settings: {} },
);

verifies(
  ['P-13.9', 'P-9.12'],
  'delivers what a bot has missed as fast as it reads',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    // 16,000 bytes each; one after another, so that ann gets no backlog herself.
    const sent: Message[] = [];
    for (let i = 0; i < 60; i++) sent.push(await say(ann, room, '𐐀'.repeat(4_000)));
    const bot = await connect({ inFlight: 256 });
    for (const message of sent) assert.deepEqual((await next(bot)).message, message);

    await bot.settled();
  },
  { settings: { PARLANCE_LIMIT_BACKLOG_BYTES: '262144', PARLANCE_LIMIT_SHED_BYTES: '131072' } },
);

verifies(
  ['P-13.8', 'P-13.3'],
  'lets a bot do what its scopes allow',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const bot = await connect({ commands: [{ name: 'fly', help: '/fly', args: ['where'] }] });
    const asked = await say(ann, room, '@far hello');
    const sent = await bot.ok('message.send', { room, text: 'hi', cause: asked.id });
    const { commands } = await ann.ok('bot.commands', { room });

    assert.equal(sent.message.hops, 1);
    assert.deepEqual(commands, [
      { bot: bot.welcome.user, name: 'fly', help: '/fly', args: ['where'] },
    ]);
    for (const cmd of ['room.join', 'room.sync', 'room.leave', 'room.members'] as const) {
      await bot.refused(cmd, { room }, 'forbidden');
    }
    await bot.refused('user.update', { name: 'other' }, 'forbidden');
    await ann.ok('bot.add', { room, bot: 'far' });
    const { details } = await bot.refused('message.history', { room }, 'forbidden');
    assert.deepEqual(details, { scope: 'messages:read' });
    await ann.ok('bot.add', { room, bot: 'far', scopes: [] });
    await bot.refused('message.send', { room, text: 'hi' }, 'forbidden');
    await bot.refused('typing.set', { room, active: true }, 'forbidden');
  },
  { settings: {} },
);

verifies(
  ['P-6.13', 'P-13.8'],
  'has the messages there that the bot may read, and no others',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene, DEFAULT_SCOPES);
    const bot = await connect();
    const own = (await bot.ok('message.send', { room, text: 'hi' })).message;
    const asked = await say(ann, room, '@far hello');
    const replied = await say(ann, room, 'and?', { replyTo: own.id });
    const secret = await say(ann, room, 'far away');
    const get = async ({ id }: Message) =>
      (await bot.ok('message.get', { room, message: id })).message;
    const refused = (message: string) => bot.refused('message.get', { room, message }, 'not_found');

    for (const message of [own, asked, replied]) assert.deepEqual(await get(message), message);
    assert.deepEqual(await refused(secret.id), await refused('nothing'));
    await ann.ok('bot.add', { room, bot: 'far', scopes: ['messages:write'] });
    await refused(asked.id);
    assert.deepEqual(await get(own), own);
    await ann.ok('bot.add', { room, bot: 'far', scopes: ['messages:read'] });
    assert.deepEqual(await get(secret), secret);
    await ann.ok('bot.remove', { room, bot: 'far' });
    await bot.refused('message.get', { room, message: own.id }, 'not_member');
  },
  { settings: {} },
);

verifies(
  ['P-13.8', 'P-5.7', 'P-8.1'],
  'lets a bot know who owns a room, and who wrote',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const bot = await connect();
    const { info, you } = await bot.ok('room.get', { room });
    const { user } = await bot.ok('user.get', { user: info.owner ?? '' });

    assert.deepEqual(user, ann.welcome.user);
    assert.deepEqual(you?.user, bot.welcome.user);
  },
  { settings: {} },
);

verifies(
  ['P-13.8', 'P-4.2'],
  'knows a bot by its token, of which two are valid',
  async (scene) => {
    const first = await register(scene);
    const second = await register(scene);
    const third = await register(scene);
    const greet = async (token: string) => {
      const reply = await (await scene.connect()).call('hello', { protocol: 1, token });
      return reply.ok ? 'ok' : reply.error.code;
    };

    assert.deepEqual(
      [await greet(first), await greet(second), await greet(third), await greet('pbt_x')],
      ['token_invalid', 'ok', 'ok', 'token_invalid'],
    );
    const taken = { commands: [{ name: 'roll', help: '/roll' }] };
    const hello = { protocol: 1, token: third, bot: taken };
    await (await scene.connect()).refused('hello', hello, 'invalid');
  },
  { settings: {} },
);

verifies(
  ['P-13.8', 'P-13.6'],
  'knows what a bot wants that was registered anew',
  async (scene) => {
    const { room, ann, connect, token } = await withBot(scene, DEFAULT_SCOPES);
    await (await connect()).close();
    await register(scene, 'far', ['reactions:read']);
    await scene.join('far', { token });
    const { bots } = await ann.ok('bot.status', { room });
    const { scopes } = await ann.ok('bot.add', { room, bot: 'far', scopes: ['reactions:read'] });

    assert.deepEqual(bots[0]?.wants, ['reactions:read']);
    assert.deepEqual(scopes, ['reactions:read']);
  },
  { settings: {} },
);

verifies(
  ['P-13.10', 'P-4.5', 'P-2.14'],
  'gives the rooms of a bot to its newest connection',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const old = await connect();
    const sharing = await connect({ mode: 'shared' });
    const bye = await old.event('bye');
    const newest = await connect();
    const secondBye = await sharing.event('bye');
    const one = await say(ann, room, 'one');
    const event = await next(newest);

    for (const { code, reconnect } of [bye, secondBye]) {
      assert.deepEqual([code, reconnect], [4004, false]);
    }
    assert.deepEqual(event.message, one);
    assert.deepEqual(old.events('message.created'), []);
  },
  { settings: {} },
);

verifies(
  'P-13.10',
  'moves a room to another connection when its holder goes',
  async (scene) => {
    const { room, ann, connect } = await withBot(scene);
    const bots = [await connect({ mode: 'shared' }), await connect({ mode: 'shared' })];
    const first = bots.map((bot) => next(bot));
    const one = await say(ann, room, 'one');
    const holder = await Promise.race(first.map(async (event, index) => (await event, index)));
    await bots[holder]?.close();
    const [moved] = await Promise.all(first.filter((_, index) => index !== holder));

    assert.deepEqual(moved?.message, one);
    assert.equal(bots[1 - holder]?.events('message.created').length, 1);
  },
  { settings: {} },
);

verifies(
  ['P-13.9'],
  'goes on after the mark when the server was started anew',
  async (scene) => {
    const { token, room, ann, connect } = await withBot(scene);
    const one = await say(ann, room, 'one');
    const bot = await connect();
    await next(bot);
    await bot.ok('bot.ack', { room, seq: one.seq });
    const two = await say(ann, room, 'two');
    await next(bot);
    await scene.server?.stop();
    const running = await scene.start(scene.server?.env ?? {});
    const again = await running.connect();
    await again.ok('hello', { protocol: 1, token, bot: {} });

    assert.deepEqual((await next(again)).message, two);
  },
  { settings: {} },
);

verifies(
  ['P-13.9', 'P-13.3'],
  'begins where the operator had the bot added',
  async (scene) => {
    const token = await register(scene);
    await scene.server?.stop();
    const running = await scene.start({ ...scene.server?.env, PARLANCE_ROOM_BOTS: 'far' });
    const [ann, bot] = [await running.connect(), await running.connect()];
    await ann.ok('hello', { protocol: 1 });
    const make = async () => {
      const room = scene.room();
      const { members } = await ann.ok('room.create', { room });
      if (members.some(({ user }) => user.name === 'far')) return room;
      await ann.event('member.joined', (joined) => {
        return joined.room === room && joined.member.user.name === 'far';
      });
      return room;
    };
    await ann.ok('room.join', { room: 'general' });
    const said = [await say(ann, 'general', 'one'), await say(ann, await make(), 'two')];
    await bot.ok('hello', { protocol: 1, token, bot: {} });
    const given = [(await next(bot)).message, (await next(bot)).message];
    const later = await say(ann, await make(), 'three');

    const byText = (a: Message, b: Message) => (a.text < b.text ? -1 : 1);
    assert.deepEqual(given.sort(byText), said);
    assert.deepEqual((await next(bot)).message, later);
  },
  { settings: {} },
);
