import { createBotHarness, type BotHarness } from '#src/harness/index.js';
import type { HarnessUser } from '#src/harness/harness-user.js';
import { formatDuration, parseDuration } from '#src/bots/remind/duration.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import { RemindBot } from '#src/bots/remind/remind.bot.js';

import { OVER } from './over.js';

const MINUTE = 60_000;

describe.each(OVER)('remind over %s', (over) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [RemindBot], over });
    ann = await harness.room('home').user('ann');
  });

  afterEach(() => harness.close());

  const transcript = () => harness.room('home').transcript();

  async function answerTo(text: string, user = ann): Promise<string | undefined> {
    await user.says(text);
    await harness.settled();
    return transcript().at(-1);
  }

  test('stands what every bot must', () => harness.defaultChecks());

  test('reminds when the time has come, and not before', async () => {
    expect(await answerTo('/remind me in 10m tea')).toBe('remind: I remind you in 10m.');
    await harness.clock.advance(10 * MINUTE - 1);
    expect(transcript()).toHaveLength(2);
    await harness.clock.advance(1);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
    await harness.clock.advance(24 * 60 * MINUTE);
    expect(transcript()).toHaveLength(3);
    expect(await answerTo('/remind list')).toBe('remind: You have no reminders here.');
  });

  test('reminds of what has hardly room, and lists it', async () => {
    const start = '/remind in 1m ';
    const text = 'x'.repeat(DEFAULT_LIMITS.textChars - start.length);
    const bob = await harness.room('home').user('b'.repeat(32));
    for (let i = 0; i < 2; i++) await answerTo(start + text, bob);
    expect(await answerTo('/remind list', bob)).toMatch(/^remind: 1\. in 1m: x+\n2.*…$/);
    await harness.clock.advance(MINUTE);
    const due = expect.stringMatching(/^remind: ⏰ @b{32}: x+…$/) as unknown;
    expect(transcript().slice(-2)).toEqual([due, due]);
    await harness.clock.advance(60 * MINUTE);
    expect(transcript()).toHaveLength(8);
    expect(harness.reports).toEqual([]);
  });

  test('reminds after restarts', async () => {
    await answerTo('/remind in 1h30m walk the dog');
    await answerTo('/remind in 2h dinner');
    await harness.restart();
    await harness.clock.advance(90 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: walk the dog');
    await harness.restart();
    await harness.clock.advance(30 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: dinner');
  });

  test('reminds after a restart of what is overdue', async () => {
    await answerTo('/remind me in 10m tea');
    harness.fault.throw('remind', 'due');
    await harness.clock.advance(10 * MINUTE);
    harness.fault.clear();
    await harness.restart();
    await harness.clock.advance(0);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
  });

  test('sets one reminder when the event comes twice', async () => {
    await answerTo('/remind me in 10m tea');
    harness.fault.redeliver();
    await harness.clock.advance(10 * MINUTE);
    expect(transcript().filter((line) => line.includes('⏰'))).toHaveLength(1);
  });

  test("lists and cancels one's own", async () => {
    const bob = await harness.room('home').user('bob');
    await answerTo('/remind me in 2h later');
    await answerTo('/remind me in 10m tea');
    await answerTo('/remind me in 5m milk', bob);
    await harness.clock.advance(MINUTE);
    expect(await answerTo('/remind list')).toBe('remind: 1. in 9m: tea\n2. in 1h 59m: later');
    expect(await answerTo('/remind cancel 1')).toBe(
      'remind: I do not remind you of this any more: tea',
    );
    expect(await answerTo('/remind list')).toBe('remind: 1. in 1h 59m: later');
    expect(await answerTo('/remind list', bob)).toBe('remind: 1. in 4m: milk');
    await harness.clock.advance(20 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @bob: milk');
  });

  test('reminds of what is further away than a timer of Node can be', async () => {
    await answerTo('/remind me in 60d renew');
    await harness.clock.advance(59 * 24 * 60 * MINUTE);
    expect(transcript()).toHaveLength(2);
    await harness.clock.advance(24 * 60 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: renew');
  });

  test('reminds after its rest of what was due in it', async () => {
    await answerTo('/remind me in 30s tea');
    harness.fault.throw('remind', 'remind');
    for (let i = 0; i < 5; i++) await answerTo('/remind list');
    await harness.clock.advance(MINUTE - 1);
    expect(transcript().at(-1)).not.toContain('tea');
    await harness.clock.advance(1);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
  });

  test('keeps the reminders of rooms apart', async () => {
    await answerTo('/remind me in 10m tea');
    const elsewhere = await harness.room('work').user('ann');
    await elsewhere.says('/remind list');
    await harness.settled();
    expect(harness.room('work').transcript().at(-1)).toBe('remind: You have no reminders here.');
  });

  test('tries again when it failed, and forgets when it was removed', async () => {
    await answerTo('/remind me in 10m tea');
    await answerTo('/remind me in 1h walk');
    harness.fault.throw('remind', 'due');
    await harness.clock.advance(10 * MINUTE);
    harness.fault.clear();
    expect(harness.reports.map(({ kind }) => kind)).toEqual(['error']);
    await harness.clock.advance(MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
    await ann.call('bot.remove', { room: 'home', bot: 'remind' });
    await harness.clock.advance(60 * MINUTE);
    await ann.call('bot.add', { room: 'home', bot: 'remind' });
    await harness.restart();
    expect(await answerTo('/remind list')).toBe('remind: You have no reminders here.');
  });

  test.each([
    ['/remind me in soon tea', '"soon" is no duration: write 30s, 10m, 1h30m or 2d.'],
    ['/remind me in 0m tea', 'I remind you within a year, and not at once.'],
    ['/remind me in 400d tea', 'I remind you within a year, and not at once.'],
    ['/remind cancel 7', 'You have no such reminder here: see /remind list.'],
  ])('answers %s', async (text, answer) => {
    expect(await answerTo(text)).toBe(`remind: ${answer}`);
  });

  test.each(['/remind', '/remind me', '/remind me in 10m', '/remind cancel tea'])(
    'says how to use it for %s',
    async (text) => {
      expect(await answerTo(text)).toMatch(/^remind: Say \/remind me in 10m tea/);
    },
  );

  test('takes 20 reminders of a person', async () => {
    for (let i = 1; i <= 20; i++) await ann.says(`/remind me in ${String(i)}h x`);
    expect(await answerTo('/remind me in 1h x')).toMatch(/^remind: You have 20 reminders here/);
  });
});

test.each([
  ['30s', 30_000],
  ['1H30m', 5_400_000],
  ['2d', 172_800_000],
  ['10', null],
  ['10x', null],
  ['', null],
])('the duration %p is read as %p', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [400, '1s'],
  [61_000, '1m 1s'],
  [90_061_000, '1d 1h'],
])('%p ms are written as %p', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
