import assert from 'node:assert/strict';

import type { StateChange, StateOwner } from '#src/protocol/bots.js';

import { checkRate } from './rate.js';
import { createRoomWithBot, registerRemoteBot } from './remote-bot.js';
import { verifiesCore } from './suite.js';

verifiesCore(
  ['P-13.11', 'P-13.12'],
  'stores values of a bot for rooms and users',
  async (scene) => {
    const { token, room, ann, connect } = await createRoomWithBot(scene);
    const { id } = ann.welcome.user;
    const bot = await connect();
    const rooms = { owner: { room }, key: 'made' };
    const users = { owner: { user: id }, key: 'made' };
    const stored = await bot.ok('bot.store', {
      changes: [
        { ...rooms, value: { cups: [1, null, '\u0000é'] } },
        { ...users, value: 0 },
        { ...users, key: 'gone', value: 1 },
        { ...users, key: 'gone' },
      ],
    });
    await scene.server?.stop();
    const running = await scene.start(scene.server?.env ?? {});
    const back = await running.connect();
    await back.ok('hello', { protocol: 1, token });
    const load = async (owner: StateOwner, key?: string) =>
      (await back.ok('bot.load', { owner, ...(key === undefined ? {} : { key }) })).entries;

    assert.deepEqual(stored, {});
    const made = [{ key: 'made', value: { cups: [1, null, '\u0000é'] } }];
    assert.deepEqual(await load({ room }), made);
    assert.deepEqual(await load({ room: ` ${room.toUpperCase()} ` }, 'made'), made);
    assert.deepEqual(await load({ user: id }), [{ key: 'made', value: 0 }]);
    assert.deepEqual(await load({ user: id }, 'gone'), []);
    assert.deepEqual(await load({ alarms: room }), []);
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.11', 'P-9.8'],
  'returns the values of a bot in pages, ordered by key',
  async (scene) => {
    const { room, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const owner = { room };
    const keys = ['a', 'Z', 'é', '😀', '\uffee', 'z'];
    const change = (key: string) => ({ owner, key, value: 'x'.repeat(400) });
    await bot.ok('bot.store', { changes: keys.map(change) });
    const read: string[][] = [];
    for (let more = true, after = {}; more;) {
      const page = await bot.ok('bot.load', { owner, limit: 4, ...after });
      read.push(page.entries.map(({ key }) => key));
      after = { after: page.entries.at(-1)?.key };
      more = page.hasMore;
    }

    assert.deepEqual(read, [
      ['Z', 'a'],
      ['z', 'é'],
      ['\uffee', '😀'],
    ]);
    await bot.expectError('bot.load', { owner, key: 'a', limit: 1 }, 'invalid');
    await bot.expectError('bot.load', { owner, key: 'a', after: 'a' }, 'invalid');
    await bot.expectError('bot.load', { owner, limit: 101 }, 'invalid');
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '1000' } },
);

verifiesCore(
  ['P-13.11', 'P-13.12'],
  'refuses storage to users, and to a bot in rooms without it',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const elsewhere = scene.room();
    await ann.ok('room.create', { room: elsewhere });
    const tries = (owner: StateOwner, code: string, from = bot) =>
      Promise.all([
        from.expectError('bot.load', { owner }, code),
        from.expectError('bot.store', { changes: [{ owner, key: 'k', value: { at: 1 } }] }, code),
      ]);

    await tries({ room }, 'forbidden', ann);
    await tries({ room: '@me' }, 'forbidden');
    for (const name of ['room', 'alarms']) {
      await tries({ [name]: scene.room() } as StateOwner, 'not_found');
      await tries({ [name]: elsewhere } as StateOwner, 'not_member');
    }
    const changes: StateChange[] = [{ owner: { user: 'nobody' }, key: 'k', value: 1 }];
    await bot.expectError('bot.store', { changes }, 'not_found');
    await tries({ room, user: ann.welcome.user.id }, 'invalid');
    await tries({} as StateOwner, 'invalid');

    await bot.ok('bot.store', { changes: [{ owner: { room }, key: 'k', value: 1 }] });
    await ann.ok('bot.remove', { room, bot: 'remote' });
    await tries({ room }, 'not_member');
    await ann.ok('bot.add', { room, bot: 'remote' });
    const { entries } = await bot.ok('bot.load', { owner: { room } });
    assert.deepEqual(entries, [{ key: 'k', value: 1 }]);
  },
  { settings: {} },
);

verifiesCore(
  'P-13.11',
  'hides the values of a bot from other bots',
  async (scene) => {
    const { room, ann, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const token = await registerRemoteBot(scene, 'other');
    await ann.ok('bot.add', { room, bot: 'other' });
    const other = await scene.join('other', { token });
    const owner = { room };
    await bot.ok('bot.store', { changes: [{ owner, key: 'k', value: 'of remote' }] });
    await other.ok('bot.store', { changes: [{ owner, key: 'k', value: 'of other' }] });

    const [own] = (await bot.ok('bot.load', { owner })).entries;
    assert.deepEqual(own, { key: 'k', value: 'of remote' });
  },
  { settings: {} },
);

verifiesCore(
  ['P-13.12', 'P-9.13'],
  'stores all changes or none, within limits',
  async (scene) => {
    const { room, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const owner = { room };
    const change = (key: string, value: unknown = 1) => ({ owner, key, value });
    const refused = (changes: unknown[], code: string) =>
      bot.expectError('bot.store', { changes }, code);
    const details = (limit: string, value: number) => ({ limit, value });

    await bot.ok('bot.store', { changes: ['a', 'b', 'c'].map((key) => change(key)) });
    const past = await refused([change('a', 2), change('d')], 'limit_reached');
    assert.deepEqual(past.details, details('botKeys', 3));
    const large = await refused([change('a', 2), change('b', 'é'.repeat(24))], 'limit_reached');
    assert.deepEqual(large.details, details('botValueBytes', 49));
    await refused([change('a', 2), change('x'.repeat(129))], 'invalid');
    await refused([change('a', 2), change('')], 'invalid');
    await refused([change('a', 2), change('\u0000')], 'invalid');
    await refused([], 'invalid');
    await refused(Array(65).fill(change('a', 2)), 'invalid');
    const { entries } = await bot.ok('bot.load', { owner });
    assert.deepEqual(
      entries,
      ['a', 'b', 'c'].map((key) => ({ key, value: 1 })),
    );

    await bot.ok('bot.store', {
      changes: [{ owner, key: 'a' }, change('x'.repeat(128)), change('b', 'x'.repeat(47))],
    });
  },
  { settings: { PARLANCE_LIMIT_BOT_KEYS: '3', PARLANCE_LIMIT_BOT_VALUE_BYTES: '49' } },
);

verifiesCore(
  ['P-9.10', 'P-13.12'],
  'limits how fast a bot writes, whatever it writes',
  async (scene) => {
    const { room, connect } = await createRoomWithBot(scene);
    const bot = await connect();
    const { message } = await bot.ok('message.send', { room, text: 'one' });
    const target = { room, message: message.id };
    const writes: [string, object][] = [
      ['message.send', { room, text: 'two' }],
      ['message.edit', { ...target, text: 'two' }],
      ['message.react', { ...target, emoji: '🎉' }],
      ['message.unreact', { ...target, emoji: '🎉' }],
      ['bot.store', { changes: [{ owner: { room }, key: 'k', value: 1 }] }],
      ['message.delete', target],
    ];

    for (const [cmd, data] of writes) {
      let reply = await bot.call(cmd, data);
      while (reply.ok || reply.error.code !== 'rate_limited') reply = await bot.call(cmd, data);
      checkRate(reply.error, 'messages');
    }
    await bot.ok('bot.load', { owner: { room } });
  },
  { settings: { PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1', PARLANCE_LIMIT_MESSAGES_BURST: '1' } },
);
