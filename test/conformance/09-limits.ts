import assert from 'node:assert/strict';

import { limitVariable } from '#src/config/options.js';
import { announcedOf, DEFAULT_LIMITS, type LimitName, type Limits } from '#src/protocol/limits.js';

import { connectAgain, meet, say, sendMany } from './meeting.js';
import { range, readCut, readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

const MORE = Object.entries(DEFAULT_LIMITS).map(([name, value]) => [name, value + 1] as const);

verifiesCore(
  ['P-9.1', 'P-2.4'],
  'announces the limits that clients need',
  async (scene) => {
    const ann = await scene.join('ann');

    assert.deepEqual(ann.welcome.limits, announcedOf(Object.fromEntries(MORE) as Limits));
  },
  {
    settings: Object.fromEntries(
      MORE.map(([name, value]) => [limitVariable(name as LimitName), String(value)]),
    ),
  },
);

verifiesCore(
  ['P-9.3', 'P-6.2', 'P-6.7', 'P-4.2'],
  'counts the code points of a text',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const longest = '𐐀'.repeat(10);

    const { id: message, text } = await say(ann, room, longest);
    const { details } = await ann.expectError(
      'message.send',
      { room, text: `${longest}x` },
      'too_long',
    );
    await ann.expectError('message.edit', { room, message, text: 'x'.repeat(11) }, 'too_long');
    await ann.ok('message.edit', { room, message, text: 'x'.repeat(10) });

    assert.equal(text, longest);
    assert.deepEqual(details, { limit: 10 });
  },
  { settings: { PARLANCE_LIMIT_TEXT_CHARS: '10' } },
);

verifiesCore(
  ['P-9.4', 'P-4.2'],
  'refuses data that is nested too deeply',
  async (scene) => {
    const client = await scene.connect();
    const nested = (levels: number): object =>
      levels === 1 ? {} : levels % 2 === 0 ? { inside: nested(levels - 1) } : [nested(levels - 1)];

    await client.expectError('hello', { protocol: 1, client: nested(3) }, 'too_deep');
    await client.expectError('hello', { protocol: 1, future: [[[]]] }, 'too_deep');
    assert(
      (await client.call('hello', { protocol: 1, future: [[]] })).ok,
      'three levels are accepted',
    );
    await client.expectError('session.ping', { future: nested(2) }, 'invalid');
    await client.expectError('session.ping', { future: nested(3) }, 'too_deep');
    await client.expectError('room.get', { room: nested(15) }, 'too_deep');
  },
  { settings: { PARLANCE_LIMIT_JSON_DEPTH: '3' } },
);

verifiesCore(
  ['P-9.6', 'P-5.2', 'P-5.4', 'P-5.11', 'P-4.2'],
  'limits the rooms of a connection',
  async (scene) => {
    const ann = await scene.join('ann');
    const [first, second, third] = [scene.room(), scene.room(), scene.room()];
    await ann.ok('room.create', { room: first });
    await ann.ok('room.join', { room: second, create: true });

    const { details } = await ann.expectError('room.create', { room: third }, 'limit_reached');
    await ann.expectError('room.join', { room: 'general' }, 'limit_reached');
    const annToo = await connectAgain(scene, ann);
    await annToo.ok('room.create', { room: third });
    await ann.expectError('room.sync', { room: third }, 'limit_reached');
    await ann.ok('room.join', { room: first });
    await readCut(ann, second);
    await ann.ok('user.update', { name: 'anna' });
    await ann.event('user.updated', ({ room }) => room === '@me');
    await ann.ok('room.leave', { room: first });
    await readCut(ann, third);

    assert.deepEqual(details, { limit: 'roomsPerConnection', value: 2 });
    const { rooms } = await ann.ok('room.list', { mine: true });
    assert.deepEqual(
      rooms.map(({ id }) => id),
      [second, third].toSorted(),
    );
  },
  { settings: { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '2' } },
);

verifiesCore(
  ['P-9.6', 'P-5.2', 'P-5.4', 'P-4.2'],
  'limits the rooms of a user',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const [first, second, third] = [scene.room(), scene.room(), scene.room()];
    await ann.ok('room.create', { room: first });
    await ann.ok('room.join', { room: second, create: true });

    const { details } = await ann.expectError('room.create', { room: third }, 'limit_reached');
    const annToo = await connectAgain(scene, ann);
    await annToo.expectError('room.join', { room: 'general' }, 'limit_reached');
    await annToo.expectError('room.join', { room: third, create: true }, 'limit_reached');
    await annToo.expectError('room.join', { room: third }, 'not_found');
    await annToo.expectError('room.create', { room: first }, 'room_exists');
    await annToo.ok('room.join', { room: first });
    await bob.expectError('room.get', { room: third }, 'not_found');
    await ann.ok('room.leave', { room: first });
    await annToo.ok('room.create', { room: third });

    assert.deepEqual(details, { limit: 'roomsPerUser', value: 2 });
    const { rooms } = await ann.ok('room.list', { mine: true });
    assert.deepEqual(
      rooms.map(({ id }) => id),
      [second, third].toSorted(),
    );
  },
  // A refusal for this limit is not charged to the rate of new rooms.
  { settings: { PARLANCE_LIMIT_ROOMS_PER_USER: '2', PARLANCE_LIMIT_ROOMS_PER_HOUR: '3' } },
);

verifiesCore(
  ['P-9.8', 'P-5.5', 'P-6.11'],
  'limits the messages of a page',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    await sendMany(ann, room, 7);

    const cut = await readCut(ann, room);
    const pages = [
      await ann.ok('message.history', { room }),
      await ann.ok('message.history', { room, limit: 100 }),
      await ann.ok('message.history', { room, after: 0, limit: 100 }),
      await ann.ok('message.history', { room, around: 6, limit: 100 }),
    ];

    const texts = [cut, ...pages].map(({ messages }) => messages.map(({ text }) => text).join(''));
    assert.deepEqual(texts, ['567', '567', '34567', '12345', '23456']);
    assert(
      [cut, ...pages].every(({ hasMore }) => hasMore),
      'there are more',
    );
  },
  {
    settings: { PARLANCE_LIMIT_HISTORY_PAGE: '3', PARLANCE_LIMIT_HISTORY_PAGE_MAX: '5' },
  },
);

verifiesCore(
  ['P-9.8', 'P-6.11'],
  'returns pages of the announced size',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    await sendMany(ann, room, 160);

    const lengths: number[] = [];
    for (const limit of [101, 150, 151, 1_000_000]) {
      lengths.push((await ann.ok('message.history', { room, limit })).messages.length);
    }

    assert.deepEqual(lengths, [101, 150, 150, 150]);
  },
  { settings: { PARLANCE_LIMIT_HISTORY_PAGE_MAX: '150' } },
);

verifiesCore(
  ['P-9.8', 'P-5.5', 'P-6.11'],
  'limits the bytes of a page',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    for (const number of range(1, 12)) await say(ann, room, `${String(number)} ${'€'.repeat(100)}`);

    const cut = await readCut(ann, room);
    const pages = [
      await ann.ok('message.history', { room }),
      await ann.ok('message.history', { room, after: 0 }),
      await ann.ok('message.history', { room, around: 8 }),
    ];
    const all = await readHistory(ann, room);

    for (const { messages, hasMore } of [cut, ...pages]) {
      const bytes = Buffer.byteLength(JSON.stringify(messages));
      assert(bytes <= 2_048 && messages.length > 1 && hasMore, `${String(bytes)} bytes`);
    }
    const numbers = (messages: typeof all) => messages.map(({ text }) => parseInt(text, 10));
    assert.deepEqual(numbers(all), range(1, 12), 'no item is missing between pages');
    const [latest, oldest, around] = pages.map(({ messages }) => numbers(messages));
    assert.deepEqual({ latest: latest?.at(-1), oldest: oldest?.[0] }, { latest: 12, oldest: 1 });
    assert.deepEqual(numbers(cut.messages), latest);
    assert(around?.includes(5) && around.includes(6), 'both sides of the position');
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '2048' } },
);

verifiesCore(
  ['P-9.8', 'P-9.2'],
  'returns at least one item per page, whatever its size',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const texts = range(1, 3).map((number) => String(number).repeat(900));
    for (const text of texts) await say(ann, room, text);

    const cut = await readCut(ann, room);
    const page = await ann.ok('message.history', { room });
    const all = await readHistory(ann, room);

    assert.deepEqual(
      { messages: cut.messages, hasMore: cut.hasMore },
      { messages: page.messages, hasMore: true },
    );
    assert.deepEqual(
      page.messages.map(({ text }) => text),
      texts.slice(2),
    );
    assert.deepEqual(
      all.map(({ text }) => text),
      texts,
      'also beyond the sizes that a client may send',
    );
  },
  { settings: { PARLANCE_LIMIT_PAGE_BYTES: '300', PARLANCE_LIMIT_FRAME_BYTES: '1000' } },
);

verifiesCore(
  ['P-9.1', 'P-5.5'],
  'limits the members in a cut',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
    const [ann, bob, cem] = clients;

    const cut = await readCut(cem, room);
    const { members } = await cem.ok('room.members', { room });

    assert.deepEqual(
      { membersInCut: cut.members.length, memberCount: cut.memberCount, members: members.length },
      { membersInCut: 2, memberCount: 3, members: 3 },
    );
    assert.equal(cut.you.user.id, cem.welcome.user.id);
    for (const { user } of cut.members)
      assert(members.some((member) => member.user.id === user.id));
    assert.equal(new Set([ann, bob, cem].map(({ welcome }) => welcome.user.id)).size, 3);
  },
  { settings: { PARLANCE_LIMIT_MEMBERS_PER_CUT: '2' } },
);

verifiesCore(
  ['P-9.9', 'P-6.9', 'P-4.2'],
  'limits the reactions of a message',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
    const [ann, bob, cem] = clients;
    const { id: message } = await say(ann, room, 'hi');
    await ann.ok('message.react', { room, message, emoji: 'a' });
    await ann.ok('message.react', { room, message, emoji: 'b' });

    const third = { room, message, emoji: 'c' };
    const emoji = await bob.expectError('message.react', third, 'limit_reached');
    await bob.ok('message.react', { room, message, emoji: 'a' });
    const fourth = { room, message, emoji: 'a' };
    const reactions = await cem.expectError('message.react', fourth, 'limit_reached');
    const repeat = await bob.ok('message.react', { room, message, emoji: 'a' });
    await ann.ok('message.unreact', { room, message, emoji: 'b' });
    const { message: now } = await cem.ok('message.react', third);

    assert.deepEqual(emoji.details, { limit: 'emojiPerMessage', value: 2 });
    assert.deepEqual(reactions.details, { limit: 'reactionsPerMessage', value: 3 });
    assert.equal(repeat.changed, false);
    assert.deepEqual(
      now.reactions.map((reaction) => reaction.emoji),
      ['a', 'c'],
    );
  },
  {
    settings: {
      PARLANCE_LIMIT_EMOJI_PER_MESSAGE: '2',
      PARLANCE_LIMIT_REACTIONS_PER_MESSAGE: '3',
    },
  },
);
