import type { Locator } from 'playwright-core';

import { eventually } from '../support/eventually.js';
import type { TestClient } from '../support/client.js';
import { inBrowser, TEST_MS } from './scene.js';
import type { Tab } from './tab.js';

const MARKS = '\u0301\u0323'.repeat(30);

inBrowser('the page, when somebody reads', (scene) => {
  let rob: TestClient;

  beforeEach(async () => {
    rob = await scene.client('rob');
    await rob.ok('room.join', { room: 'general' });
  });

  afterEach(() => rob.close());

  async function say(text: string, replyTo?: string): Promise<string> {
    const more = replyTo === undefined ? {} : { replyTo };
    const { message } = await rob.ok('message.send', { room: 'general', text, ...more });
    return message.id;
  }

  test(
    'keeps the message that is read in place when messages above it change',
    async () => {
      const ids: string[] = [];
      for (let i = 0; i < 60; i++) ids.push(await say(`message ${String(i)}`));
      const ann = await scene.tab();
      const read = await ann.sees('message 25');
      await read.scrollIntoViewIfNeeded();
      const before = await topOf(read);

      await rob.ok('message.edit', { ...at(ids, 12), text: 'long\n'.repeat(40) });
      await ann.page.getByText('long').first().waitFor();
      expect(Math.abs((await topOf(read)) - before)).toBeLessThan(1);
      await rob.ok('message.delete', at(ids, 12));
      await ann.page.getByText('This message was deleted.').waitFor();
      expect(Math.abs((await topOf(read)) - before)).toBeLessThan(1);
      for (const i of [15, 24]) {
        await rob.ok('message.react', { ...at(ids, i), emoji: '👍' });
        await ann.messages
          .filter({ hasText: `message ${String(i)}` })
          .getByRole('button', { name: '👍 1' })
          .waitFor();
        expect(Math.abs((await topOf(read)) - before)).toBeLessThan(1);
      }
      await ann.page.getByRole('button', { name: 'Older messages' }).dispatchEvent('click');
      await ann.sees('message 0');
      expect(Math.abs((await topOf(read)) - before)).toBeLessThan(1);
      // A narrower view changes the height of all messages above.
      await ann.page.setViewportSize({ width: 900, height: 720 });
      await eventually(async () => Math.abs((await topOf(read)) - before) < 1, 'the same place');
    },
    TEST_MS,
  );

  test(
    'keeps it in place near the end too, and follows new messages there',
    async () => {
      const ids: string[] = [];
      for (let i = 0; i < 40; i++) ids.push(await say(`message ${String(i)}`));
      const ann = await scene.tab();
      const read = await ann.sees('message 38');
      const atEnd = await topOf(read);
      await ann.log.hover();
      await ann.page.mouse.wheel(0, -30);
      await eventually(
        async () => Math.abs((await topOf(read)) - atEnd - 30) < 1,
        'scrolled by 30 pixels',
      );
      const before = await topOf(read);
      await rob.ok('message.edit', { ...at(ids, 0), text: 'long\n'.repeat(9) });
      await rob.ok('message.react', { ...at(ids, 39), emoji: '👍' });
      await ann.log.getByRole('button', { name: '👍 1' }).waitFor();
      expect(Math.abs((await topOf(read)) - before)).toBeLessThan(1);
      await say('the latest');
      await isAtEnd(ann);
      await rob.ok('message.edit', { ...at(ids, 39), text: 'long\n'.repeat(9) });
      await ann.page.getByText('(edited)').last().waitFor();
      await isAtEnd(ann);
    },
    TEST_MS,
  );

  test(
    'updates the quote in a reply when its original is edited, then deleted',
    async () => {
      const original = await say('the original');
      await say('a reply', original);
      const ann = await scene.tab();
      const reply = ann.messages.filter({ hasText: 'a reply' });
      await reply.getByText('rob: the original').waitFor();
      await rob.ok('message.edit', { room: 'general', message: original, text: 'another text' });
      await reply.getByText('rob: another text').waitFor();
      await rob.ok('user.update', { name: 'bob' });
      await reply.getByText('bob: another text').waitFor();
      await rob.ok('message.delete', { room: 'general', message: original });
      await reply.getByText('bob: a deleted message').waitFor();
      expect(await reply.textContent()).not.toContain('another text');
    },
    TEST_MS,
  );

  test(
    'shows the quote when its original is loaded with older messages',
    async () => {
      const original = await say('the original');
      for (let i = 0; i < 60; i++) await say(`message ${String(i)}`);
      await say('a reply', original);
      const ann = await scene.tab();
      const reply = ann.messages.filter({ hasText: 'a reply' });
      await reply.getByText('an earlier message').waitFor();
      await ann.page.getByRole('button', { name: 'Older messages' }).dispatchEvent('click');
      await reply.getByText('rob: the original').waitFor();
    },
    TEST_MS,
  );

  test.each([
    ['🎉', '🎉'],
    ['👩‍👩‍👧', '👩‍👩‍👧'],
    ['e\u0301', 'e\u0301'],
  ])(
    'does not cut a character of a quote in half: 79 x and %s',
    async (character, kept) => {
      await say('a reply', await say(`${'x'.repeat(79)}${character}${character}y`));
      const ann = await scene.tab();
      const quote = ann.messages.filter({ hasText: 'a reply' }).getByText('rob: x');
      expect(await quote.textContent()).toBe(`↪ rob: ${'x'.repeat(79)}${kept}…`);
    },
    TEST_MS,
  );

  test.each([
    ['🇩🇪 Tom', '🇩🇪'],
    ['क्षितिज', 'क्षि'],
    ['e\u0301ric', 'É'],
  ])(
    'shows the first letter of %s whole: %s',
    async (name, letter) => {
      await rob.ok('user.update', { name });
      const ann = await scene.tab();
      const shown = name.normalize('NFKC');
      const item = ann.people(true).filter({ hasText: shown });
      expect(await item.textContent()).toBe(letter + shown);
    },
    TEST_MS,
  );

  test(
    'shows Z with 60 combining marks without covering other messages',
    async () => {
      await say('the message above');
      const message = await say('Z');
      const edit = (text: string) => rob.ok('message.edit', { room: 'general', message, text });
      await edit(`Z${MARKS}`);
      const ann = await scene.tab();
      const below = ann.messages.last();
      await below.getByText(`Z${MARKS}`).waitFor();
      // Without the avatar, whose round edge is not painted the same each time.
      const above = ann.log.getByText('the message above');
      const box = required(await above.boundingBox());
      // Messages begin between two rows of pixels.
      const clip = { ...box, height: Math.floor(box.height) - 1 };
      const picture = () => ann.page.screenshot({ clip });
      await ann.page.mouse.move(0, 0);
      const covered = await picture();
      await edit('Z');
      await below.getByText('Z (edited)', { exact: true }).waitFor();
      await eventually(async () => (await picture()).equals(covered), 'nothing is covered');
    },
    TEST_MS,
  );

  test(
    'shows (edited) from left to right after "see U+202E again"',
    async () => {
      const id = await say('a text');
      await rob.ok('message.edit', { room: 'general', message: id, text: 'see \u202Eagain' });
      await say('a reply', id);
      const ann = await scene.tab();
      await ann.sees('a reply');

      expect(await lettersOf(ann, '(edited)')).toBe('(edited)');
      expect(await lettersOf(ann, 'again')).toBe('niaga');
    },
    TEST_MS,
  );

  test(
    'isolates names and quotes of both writing directions',
    async () => {
      await rob.ok('user.update', { name: 'דנה' });
      const id = await say('שלום \u202E(1)');
      await say('a reply', id);
      const ann = await scene.tab();
      await ann.sees('a reply');

      const [name, colon] = await Promise.all([leftOf(ann, 'דנה'), leftOf(ann, ': ')]);
      const text = await leftOf(ann, 'שלום');
      expect(await leftOf(ann, '↪ ')).toBeLessThan(name);
      expect(name).toBeLessThan(colon);
      expect(colon).toBeLessThan(text);
    },
    TEST_MS,
  );
});

async function topOf(message: Locator): Promise<number> {
  return required(await message.boundingBox()).y;
}

async function isAtEnd(tab: Tab): Promise<void> {
  const bottomOf = async (element: Locator): Promise<number> => {
    const { y, height } = required(await element.boundingBox());
    return y + height;
  };
  const isInView = async () => (await bottomOf(tab.messages.last())) <= (await bottomOf(tab.log));
  await eventually(isInView, 'the end of the latest message in view');
}

/** Returns the fields by which a command names a message. */
function at(ids: readonly string[], index: number): { room: string; message: string } {
  return { room: 'general', message: required(ids[index]) };
}

function required<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the value is missing');
  return value;
}

/** Returns the letters of a text in the order on the screen, from left to right. */
async function lettersOf(tab: Tab, text: string): Promise<string> {
  const letters = await positionsOf(tab, text);
  return letters
    .sort((a, b) => a.left - b.left)
    .map(({ letter }) => letter)
    .join('');
}

async function leftOf(tab: Tab, text: string): Promise<number> {
  return Math.min(...(await positionsOf(tab, text)).map(({ left }) => left));
}

/** Returns the position of each letter of the last occurrence of a text in the messages. */
function positionsOf(tab: Tab, text: string): Promise<{ letter: string; left: number }[]> {
  return tab.page.evaluate(`(() => {
    const wanted = ${JSON.stringify(text)};
    const log = document.querySelector('[role="log"]');
    const walker = document.createTreeWalker(log, NodeFilter.SHOW_TEXT);
    let found = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const start = node.textContent.indexOf(wanted);
      if (start === -1) continue;
      found = [...wanted].map((letter, index) => {
        const range = document.createRange();
        range.setStart(node, start + index);
        range.setEnd(node, start + index + 1);
        return { letter, left: range.getBoundingClientRect().left };
      });
    }
    return found;
  })()`);
}
