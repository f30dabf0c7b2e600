import { createBotHarness, type BotHarness, HARNESS_TRANSPORTS } from '#src/bots/testing/index.js';
import type { HarnessUser } from '#src/bots/testing/harness-user.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import { formatDuration, parseDuration, RemindBot } from '#src/bots/built-in/remind.bot.js';

const MINUTE = 60_000;

describe.each(HARNESS_TRANSPORTS)('remind over %s', (transport) => {
  let harness: BotHarness;
  let ann: HarnessUser;

  beforeEach(async () => {
    harness = await createBotHarness({ bots: [RemindBot], transport });
    ann = await harness.room('home').user('ann');
  });

  afterEach(() => harness.close());

  const transcript = () => harness.room('home').transcript();

  async function answerTo(text: string, user = ann): Promise<string | undefined> {
    await user.says(text);
    await harness.settled();
    return transcript().at(-1);
  }

  test('passes the default checks', () => harness.defaultChecks());

  test('reminds at the time, and not before', async () => {
    expect(await answerTo('/remind me in 10m tea')).toBe('remind: I will remind you in 10m.');
    await harness.clock.advance(10 * MINUTE - 1);
    expect(transcript()).toHaveLength(2);
    await harness.clock.advance(1);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
    await harness.clock.advance(24 * 60 * MINUTE);
    expect(transcript()).toHaveLength(3);
    expect(await answerTo('/remind list')).toBe('remind: You have no reminders here.');
  });

  test('reminds of a text of almost the maximum length, and lists it', async () => {
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

  test('sends overdue reminders after a restart', async () => {
    await answerTo('/remind me in 10m tea');
    harness.fault.throw('remind', 'due');
    await harness.clock.advance(10 * MINUTE);
    harness.fault.clear();
    await harness.restart();
    await harness.clock.advance(0);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
  });

  test('sets one reminder if the event is delivered twice', async () => {
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
    expect(await answerTo('/remind cancel 1')).toBe('remind: Cancelled: tea');
    expect(await answerTo('/remind list')).toBe('remind: 1. in 1h 59m: later');
    expect(await answerTo('/remind list', bob)).toBe('remind: 1. in 4m: milk');
    await harness.clock.advance(20 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @bob: milk');
  });

  test('reminds at a time beyond the maximum delay of a Node.js timer', async () => {
    await answerTo('/remind me in 60d renew');
    await harness.clock.advance(59 * 24 * 60 * MINUTE);
    expect(transcript()).toHaveLength(2);
    await harness.clock.advance(24 * 60 * MINUTE);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: renew');
  });

  test('sends reminders that were due while it rested', async () => {
    await answerTo('/remind me in 30s tea');
    harness.fault.throw('remind', 'remind');
    for (let i = 0; i < 5; i++) await answerTo('/remind list');
    await harness.clock.advance(MINUTE - 1);
    expect(transcript().at(-1)).not.toContain('tea');
    await harness.clock.advance(1);
    expect(transcript().at(-1)).toBe('remind: ⏰ @ann: tea');
  });

  test('keeps the reminders of each room separate', async () => {
    await answerTo('/remind me in 10m tea');
    const elsewhere = await harness.room('work').user('ann');
    await elsewhere.says('/remind list');
    await harness.settled();
    expect(harness.room('work').transcript().at(-1)).toBe('remind: You have no reminders here.');
  });

  test('retries after a failure, and drops its reminders when it is removed', async () => {
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
    ['/remind me in soon tea', '"soon" is not a duration: write 30s, 10m, 1h30m or 2d.'],
    ['/remind me in 0m tea', 'A reminder must be at most a year away, and not now.'],
    ['/remind me in 400d tea', 'A reminder must be at most a year away, and not now.'],
    ['/remind cancel 7', 'There is no such reminder: see /remind list.'],
  ])('answers %s', async (text, answer) => {
    expect(await answerTo(text)).toBe(`remind: ${answer}`);
  });

  test.each(['/remind', '/remind me', '/remind me in 10m', '/remind cancel tea'])(
    'explains its usage for %s',
    async (text) => {
      expect(await answerTo(text)).toMatch(/^remind: Write \/remind me in 10m tea/);
    },
  );

  test('accepts 20 reminders per person', async () => {
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
])('parses the duration %p to %p', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [400, '1s'],
  [61_000, '1m 1s'],
  [90_061_000, '1d 1h'],
])('formats %p ms as %p', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
