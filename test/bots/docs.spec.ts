import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { BUILT_IN_BOTS } from '#src/bots/built-in/built-in-bots.js';
import { createBotHarness } from '#src/bots/testing/index.js';
import { BOT_OPTIONS } from '#src/bots/kit/chat-bot.decorator.js';
import type { BotOptions } from '#src/bots/kit/bot-definition.js';
import { OPTIONS } from '#src/config/options.js';
import { BotScope } from '#src/protocol/bots.js';
import { COMMANDS } from '#src/protocol/commands.js';

import { buildServer } from '../support/built-server.js';
import { typeErrorsOf } from '../support/checked-types.js';
import { RemoteBotScene } from './remote-bot-scene.js';

const DOCS = readFileSync('docs/bots.md', 'utf8');
const TEST_MS = 120_000;

/** Returns the code blocks of the page in a language. */
function blocks(info: string): string[] {
  return [...DOCS.matchAll(new RegExp('^```' + info + '\\n([^]*?)^```$', 'gm'))].map(
    ([, text = '']) => text,
  );
}

/** Returns the programs of the page by the path in their first line. */
function programs(): Map<string, string> {
  const all = [...blocks('js'), ...blocks('ts')];
  return new Map(all.map((text) => [/^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text]));
}

describe('docs/bots.md', () => {
  let folder: string;

  beforeAll(() => {
    mkdirSync('data', { recursive: true });
    folder = mkdtempSync(resolve('data', 'docs-'));
    for (const [path, text] of programs()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test('has no code block that is not tested here', () => {
    const tried = [...blocks('js'), ...blocks('ts'), ...blocks('json command')];
    expect(DOCS.match(/^```\w/gm)).toHaveLength(tried.length);
    expect([...programs().keys()]).not.toContain('');
  });

  test(
    'has programs that pass the type check',
    () => {
      expect(typeErrorsOf([...programs().keys()].map((path) => join(folder, path)))).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'has a bot whose test passes with the documented command',
    () => {
      buildServer();
      const [, command = ''] = /^ {4}node (--test .*)$/m.exec(DOCS) ?? [];
      const { status, stdout } = spawnSync(process.execPath, command.split(' '), {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      });
      expect(stdout).toMatch(/^(#|ℹ) pass 2$/m);
      expect(status).toBe(0);
    },
    TEST_MS,
  );

  test('has a bot that answers as documented', async () => {
    const path = join(folder, 'bots/tea/tea.bot.js');
    const { TeaBot } = (await import(path)) as { TeaBot: object };
    const harness = await createBotHarness({ bots: [TeaBot] });
    const ann = await harness.room('kitchen').user('ann');
    await harness.room('kitchen').user('bob');
    for (const text of ['/tea black', '/tea red', '/made', '@tea', '@tea thanks']) {
      await ann.says(text);
      await harness.settled();
    }
    expect(harness.room('kitchen').transcript()).toEqual([
      'tea: Tea, bob?',
      ...['ann: /tea black', 'tea: 1 × black, in three minutes.'],
      'ann: /tea red',
      expect.stringMatching(/^tea: kind: [^]*\/tea green 2 makes/),
      ...['ann: /made', 'tea: 1 cups so far.'],
      ...['ann: @tea', 'tea: Do you want tea? Write /tea green or /tea black.'],
      'ann: @tea thanks',
    ]);
    expect(harness.room('kitchen').messages().at(-1)?.reactions[0]?.emoji).toBe('🍵');
    await harness.close();
  });

  test(
    'has a standalone program that answers',
    async () => {
      buildServer();
      const remote = await RemoteBotScene.start('websocket', 'tea');
      const child = spawn(process.execPath, ['tea.js'], {
        cwd: folder,
        stdio: 'inherit',
        env: { PATH: process.env['PATH'], CHAT_URL: remote.scene.url, TEA_TOKEN: remote.token },
      });
      await remote.say('/tea green 2');
      await remote.hears('2 × green, in three minutes.');
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      await remote.dispose();
    },
    TEST_MS,
  );

  test.each(blocks('json command'))('has valid commands: %s', (json) => {
    const { cmd, data } = JSON.parse(json) as { cmd: keyof typeof COMMANDS; data: unknown };
    expect(COMMANDS[cmd].data.safeParse(data)).toMatchObject({ success: true });
  });

  test('names only settings and scripts that exist', () => {
    for (const [name] of DOCS.matchAll(/\bPARLANCE_[A-Z_]+/g)) {
      expect(Object.keys(OPTIONS)).toContain(name);
    }
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    for (const [, name] of DOCS.matchAll(/\bnpm run ([\w:]+)/g)) {
      expect(Object.keys(scripts)).toContain(name);
    }
  });

  test('names every scope and every built-in bot', () => {
    for (const scope of BotScope.options) expect(DOCS).toContain(`| \`${scope}\``);
    for (const bot of BUILT_IN_BOTS) {
      const { name } = Reflect.getMetadata(BOT_OPTIONS, bot) as BotOptions;
      expect(DOCS).toContain(`[${name}](../src/bots/built-in/${name}.md)`);
      expect(readFileSync(`src/bots/built-in/${name}.md`, 'utf8')).toContain(`# ${name}\n`);
    }
  });
});
