import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { Type } from '@nestjs/common';

import { createBotHarness } from '#src/bots/testing/index.js';
import { findFiles } from '#src/config/import-files.js';
import { LinearPattern } from '#src/bots/server/loading/linear-pattern.js';
import { HANDLER_OPTIONS } from '#src/bots/kit/chat-bot.decorator.js';
import { loadBots } from '#src/bots/server/loading/load-bots.js';

const CLOCK = `
import { defineChatBot, z } from 'parlance';
export const ClockBot = defineChatBot({
  name: 'clock',
  about: 'Tells the time.',
  scopes: ['messages:read', 'messages:write', 'members:read'],
  commands: {
    time: {
      args: z.object({ zone: z.enum(['UTC']).default('UTC') }),
      help: '/time UTC',
      run: (bot, { zone }) => new Date(bot.now).toISOString().slice(11, 16) + ' ' + zone,
    },
    alarm: { help: '/alarm', run: (bot) => bot.alarms.set('soon', bot.now + 1_000, 'up') },
  },
  hears: [{ pattern: /^(?<what>(a+)+)$/u, when: 'all', run: (bot) => bot.matches.groups.what }],
  on: { 'member.joined': (bot) => ({ text: 'in: ' + bot.author.name }) },
  alarm: (bot, { value }) => value,
  fallback: () => 'tick',
});
`;

// The code that TypeScript generates for decorators.
const INHERITING = `
import { ChatBot, Hears } from 'parlance';
class Base {
  name = 'heir';
  one() { return 'base of ' + this.name; }
  two() { return 'base'; }
  three() { return 'base'; }
}
class Heir extends Base {
  two() { return 'own'; }
  three() { return 'unheard'; }
}
const decorate = (type, name, pattern) => {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name);
  Hears(pattern)(type.prototype, name, descriptor);
};
decorate(Base, 'one', /one/);
decorate(Base, 'two', /two/);
decorate(Base, 'three', /three/);
decorate(Heir, 'two', /two/);
ChatBot({ name: 'heir' })(Heir);
export { Heir };
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parlance-files-'));
  await write('package.json', '{ "type": "module" }');
});

afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

const pattern = (text: string) => `
import { defineChatBot } from 'parlance';
export default defineChatBot({ name: 'x', hears: [{ pattern: ${text}, run: () => 'yes' }] });
`;

describe('files of bots', () => {
  test('are found by patterns', async () => {
    const names = ['a.bot.js', 'b.bot.js', 'c.js', 'd/e.bot.js', 'd/f/g.bot.js'];
    for (const name of [...names, 'node_modules/h.bot.js', '.git/i.bot.js']) await write(name, '');
    const found = async (glob: string) =>
      (await findFiles(glob, folder)).map((path) => path.slice(folder.length + 1));
    expect(await found('./*.bot.js')).toEqual(['a.bot.js', 'b.bot.js']);
    expect(await found('?.js')).toEqual(['c.js']);
    expect(await found('**/*.bot.js')).toEqual(names.filter((name) => name !== 'c.js'));
    expect(await found('*/*.bot.js')).toEqual(['d/e.bot.js', 'node_modules/h.bot.js']);
    expect(await found(join(folder, 'd/e.bot.js'))).toEqual(['d/e.bot.js']);
    expect(await found('d')).toEqual([]);
  });

  test('define bots that work like classes', async () => {
    await write('clock.bot.js', CLOCK);
    const harness = await createBotHarness({ bots: await loadBots(['*.bot.js'], folder) });
    const ann = await harness.room('hall').user('ann');
    await harness.room('hall').user('bob');
    for (const text of ['/time', '/time CET', '@clock', 'aaa', '/alarm']) {
      await ann.says(text);
      await harness.settled();
    }
    await harness.clock.advance(1_000);
    const said = harness
      .room('hall')
      .messages()
      .filter(({ sender }) => sender.kind === 'bot');
    const texts = said.map(({ text }) => text.split('\n')[0]);
    expect(texts).toEqual([
      'in: bob',
      '12:00 UTC',
      expect.stringMatching(/^zone: /),
      'tick',
      'aaa',
      'up',
    ]);
    expect(harness.reports).toEqual([]);
    await harness.defaultChecks();
    await harness.close();
  });

  test('use linear patterns for inherited handlers without changing the base class', async () => {
    await write('base.bot.js', INHERITING);
    const bots = await loadBots(['*.bot.js'], folder);
    const heard = (bot: Type | null, method: string): unknown => {
      const { [method]: handler } = bot?.prototype as Record<string, object>;
      const options = Reflect.getMetadata(HANDLER_OPTIONS, handler ?? {}) as { pattern?: unknown };
      return options?.pattern;
    };
    const [bot] = bots as [Type];
    for (const method of ['one', 'two']) expect(heard(bot, method)).toBeInstanceOf(LinearPattern);
    expect(heard(bot, 'three')).toBeUndefined();
    const base = Object.getPrototypeOf(bot) as Type;
    for (const method of ['one', 'three']) expect(heard(base, method)).toBeInstanceOf(RegExp);

    const harness = await createBotHarness({ bots });
    const ann = await harness.room('hall').user('ann');
    for (const text of ['@heir one', '@heir two', '@heir three']) await ann.says(text);
    await harness.settled();
    const answers = harness
      .room('hall')
      .transcript()
      .filter((line) => line.startsWith('heir: '));
    expect(answers).toEqual(['heir: base of heir', 'heir: own']);
    expect(harness.reports).toEqual([]);
    await harness.close();
  });

  test('with an inherited pattern that may be slow are refused', async () => {
    await write('base.bot.js', INHERITING.replace('/one/', '/one(?=$)/'));
    await expect(loadBots(['*.bot.js'], folder)).rejects.toThrow('has the pattern /one(?=$)/');
  });

  test('are loaded once if several patterns match them', async () => {
    await write('clock.bot.js', CLOCK);
    expect(await loadBots(['*.js', 'clock.bot.js'], folder)).toHaveLength(1);
    expect(await loadBots([], folder)).toEqual([]);
  });

  test('that do not exist are reported with the pattern', async () => {
    await expect(loadBots(['bots/*.js'], folder)).rejects.toThrow(
      `PARLANCE_BOTS names bots/*.js, but no file in ${folder} matches it.`,
    );
  });

  test('that cannot be loaded are named', async () => {
    const path = await write('bad.bot.js', `throw new RangeError('Too early.');`);
    await expect(loadBots(['*.bot.js'], folder)).rejects.toThrow(
      `The file ${path} of PARLANCE_BOTS cannot be loaded. RangeError: Too early.`,
    );
  });

  test('that cannot import the package get a hint', async () => {
    await write('lost.bot.js', `throw new Error("Cannot find package 'parlance'");`);
    await expect(loadBots(['*.bot.js'], folder)).rejects.toThrow('below the folder of Parlance');
  });

  test('without a bot are named', async () => {
    const path = await write('none.bot.js', 'export const bot = {}; export class Bot {}');
    await expect(loadBots(['*.bot.js'], folder)).rejects.toThrow(`The file ${path} exports no bot`);
  });

  test.each([
    ['/a(?=b)/', /has the pattern \/a\(\?=b\)\/, which may be slow/],
    [String.raw`/(a)\1/`, /has the pattern .* write it without/],
    ['/a/g', /has a pattern with the flag g or y/],
    ['/[a--b]/v', /the flag v is not supported/],
  ])('with the pattern %s are refused', async (text, message) => {
    const path = await write('x.bot.js', pattern(text));
    const refused = loadBots(['*.bot.js'], folder);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(`The handler hears 1 in ${path}`);
  });
});

describe('a linear pattern', () => {
  test.each([
    [/thank(s| you)/i, 'Many Thanks'],
    [/(?<who>\p{L}+) is (?<what>.+)/u, 'Änn is 😀 nice'],
    [/(a)|(b)/, 'xb'],
    [/^x$/m, 'a\nx\nb'],
    [/a.b/s, 'a\nb'],
    [/nothing/, 'something'],
  ])('matches %p like the original pattern', (pattern, text) => {
    expect(JSON.stringify(describeMatch(new LinearPattern(pattern).exec(text)))).toBe(
      JSON.stringify(describeMatch(pattern.exec(text))),
    );
  });

  test('matches in linear time', () => {
    const linear = new LinearPattern(/^(a+)+$/);
    const began = performance.now();
    expect(linear.exec(`${'a'.repeat(4_000)}!`)).toBeNull();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

function describeMatch(found: RegExpExecArray | null): unknown {
  return found === null ? null : { all: [...found], index: found.index, groups: found.groups };
}
