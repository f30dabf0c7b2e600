import assert from 'node:assert/strict';

import { meet, say } from './meeting.js';
import { readHistory } from './reading.js';
import { verifiesCore } from './suite.js';

const UNSEEN = [
  ...['\u200b', '\u2800', '\u3164', '\u00ad', '\u2060', '\u034f', '\u202e', '\ufe0f', '\ufeff'],
  ...['\u{e0041}\u{e0042}', '\u{e0100}', '\u180e', '\u115f', '\uffa0', '\u{1d159}', '\u2066'],
  ...['\u200d', '\u200c', '\u0007', '\ufffc', '\ufdd0', '\u{1d173}'],
];
/** A code point among the emoji that no version of Unicode assigns yet. */
const NEWER_EMOJI = '\u{1faff}';

verifiesCore(
  ['P-6.2', 'P-6.7'],
  'refuses texts that consist of U+200B, U+2800, U+3164, U+00AD, tags or similar characters',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const { id: message } = await say(ann, room, 'hi');

    for (const one of UNSEEN) {
      for (const text of [one, `${one} ${one}\n`]) {
        await ann.expectError('message.send', { room, text }, 'invalid');
        await ann.expectError('message.edit', { room, message, text }, 'invalid');
      }
      await ann.expectError('room.update', { room, title: one }, 'invalid');
    }
    for (const text of ['\u200b.', `\u00ad${NEWER_EMOJI}`, '\uf8ff', '❤️', 'می\u200cروم']) {
      assert.equal((await say(ann, room, text)).text, text, 'is stored as it was sent');
    }
  },
);

verifiesCore('P-6.9', 'treats ❤️ and ❤, 👍️ and 👍 as one reaction each', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { id: message } = await say(ann, room, 'hi');
  const alike = [
    ['\u2764\ufe0f', '\u2764', '\u2764\ufe0e', '\u2764\ufe0f\ufe0f'],
    ['\u{1f44d}', '\u{1f44d}\ufe0f'],
    ['1\ufe0f\u20e3', '1\u20e3'],
    ['\u{1f469}\u200d\u2764\ufe0f\u200d\u{1f468}', '\u{1f469}\u200d\u2764\u200d\u{1f468}'],
    ['\u261d\u{1f3fd}', '\u261d\ufe0f\u{1f3fd}'],
  ];

  for (const [emoji = '', ...forms] of alike) {
    await ann.ok('message.react', { room, message, emoji });
    for (const form of forms) {
      const repeat = await ann.ok('message.react', { room, message, emoji: form });
      assert.equal(repeat.changed, false, emoji);
    }
    await bob.ok('message.react', { room, message, emoji: forms[0] ?? '' });
    assert.equal(
      (await bob.event('reaction.added', ({ user }) => user !== ann.welcome.user.id)).emoji,
      emoji,
    );
  }
  for (const emoji of [
    '\u{1f44d}\u{1f3fd}',
    '\u{1f44d}\u{1f3ff}',
    '\u{1f469}\u200d\u{1f468}',
    '1',
  ]) {
    assert.equal((await ann.ok('message.react', { room, message, emoji })).changed, true, emoji);
  }
  for (const emoji of ['\u{1f44d}\u200d', '\u{1f44d}\u{e0067}', '\u200d\u2764']) {
    await ann.expectError('message.react', { room, message, emoji }, 'invalid');
  }
  const [stored] = await readHistory(ann, room);
  assert.equal(stored?.reactions.length, alike.length + 4);
  const { changed } = await ann.ok('message.unreact', { room, message, emoji: '\u2764' });
  assert.equal(changed, true);
});

verifiesCore(
  'P-2.6',
  'accepts the joiners of علی‌رضا, ශ්‍රී and 👩‍💻 Ada, and no others',
  async (scene) => {
    const names = [
      'علی\u200cرضا',
      'ශ්\u200dරී',
      '\u{1f469}\u200d\u{1f4bb} Ada',
      '\u{1f469}\u{1f3fd}\u200d\u{1f692}',
      'न\u094d\u200c',
      'نَ\u200cب',
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} Tom',
    ];
    for (const name of names) {
      const { user } = await (await scene.connect()).ok('hello', { protocol: 1, name });
      assert.equal(user.name, name);
    }
    const eve = await scene.connect();
    const refused = [
      ...['a\u200db', 'a\u200cb', 'ا\u200cب', 'ب\u200c', '\u200cب', 'می\u200c\u200cروم'],
      ...['\u{1f469}\u200d', '\u200d\u{1f469}', '\u{1f469}\u200dAda', 'x\u{e0067}\u{e007f}'],
    ];
    for (const name of refused) await eve.expectError('hello', { protocol: 1, name }, 'invalid');
  },
);

verifiesCore('P-5.1', 'finds the room کتاب‌ها with and without its joiner', async (scene) => {
  const ann = await scene.join('ann');
  const own = scene.room();

  const cut = await ann.ok('room.create', { room: `${own}-کتاب\u200cها` });

  assert.equal(cut.room, `${own}-کتابها`);
  assert.equal(cut.info.title, `${own}-کتاب\u200cها`);
  assert.equal((await ann.ok('room.get', { room: `${own}-کتاب\u200cها` })).info.id, cut.room);
  for (const room of [`${own}-کتاب\u200c`, `${own}-ا\u200cب`, `${own}a\u200cb`, `${own}a\u200db`]) {
    await ann.expectError('room.create', { room }, 'invalid');
  }
});
