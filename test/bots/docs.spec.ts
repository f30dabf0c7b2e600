import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import ts from 'typescript';

import { BUILT_IN_BOTS } from '#src/bots/built-in.js';
import { createBotHarness } from '#src/harness/index.js';
import { BOT_OPTIONS } from '#src/bots/runtime/chat-bot.decorator.js';
import type { BotOptions } from '#src/bots/runtime/bot-manifest.js';
import { OPTIONS } from '#src/config/options.js';
import { BotScope } from '#src/protocol/bots.js';
import { COMMANDS } from '#src/protocol/commands.js';

import { buildServer } from '../support/child-server.js';
import { FarScene } from './far-scene.js';

const DOCS = readFileSync('docs/bots.md', 'utf8');
const TEST_MS = 120_000;

/** Gives the blocks of the page in a language. */
function blocks(info: string): string[] {
  return [...DOCS.matchAll(new RegExp('^```' + info + '\\n([^]*?)^```$', 'gm'))].map(
    ([, text = '']) => text,
  );
}

/** Gives the programs of the page, by the path in their first line. */
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

  test('has no block that is not tried here', () => {
    const tried = [...blocks('js'), ...blocks('ts'), ...blocks('json command')];
    expect(DOCS.match(/^```\w/gm)).toHaveLength(tried.length);
    expect([...programs().keys()]).not.toContain('');
  });

  test(
    'has programs whose types are right',
    () => {
      expect(problemsOf([...programs().keys()].map((path) => join(folder, path)))).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'has a bot that passes its test by the command that is given',
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

  test('has a bot that answers as it says', async () => {
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
      ...['ann: @tea', 'tea: Do you want tea? Say /tea green or /tea black.'],
      'ann: @tea thanks',
    ]);
    expect(harness.room('kitchen').messages().at(-1)?.reactions[0]?.emoji).toBe('🍵');
    await harness.close();
  });

  test(
    'has a program of its own for the bot, which answers',
    async () => {
      buildServer();
      const far = await FarScene.start('websocket', 'tea');
      const child = spawn(process.execPath, ['tea.js'], {
        cwd: folder,
        stdio: 'inherit',
        env: { PATH: process.env['PATH'], CHAT_URL: far.scene.url, TEA_TOKEN: far.token },
      });
      await far.say('/tea green 2');
      await far.hears('2 × green, in three minutes.');
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      await far.dispose();
    },
    TEST_MS,
  );

  test.each(blocks('json command'))('has commands that the server takes: %s', (json) => {
    const { cmd, data } = JSON.parse(json) as { cmd: keyof typeof COMMANDS; data: unknown };
    expect(COMMANDS[cmd].data.safeParse(data)).toMatchObject({ success: true });
  });

  test('names settings and scripts that there are', () => {
    for (const [name] of DOCS.matchAll(/\bPARLANCE_[A-Z_]+/g)) {
      expect(Object.keys(OPTIONS)).toContain(name);
    }
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    for (const [, name] of DOCS.matchAll(/\bnpm run ([\w:]+)/g)) {
      expect(Object.keys(scripts)).toContain(name);
    }
  });

  test('names every scope and every bot that comes with the server', () => {
    for (const scope of BotScope.options) expect(DOCS).toContain(`| \`${scope}\``);
    for (const bot of BUILT_IN_BOTS) {
      const { name } = Reflect.getMetadata(BOT_OPTIONS, bot) as BotOptions;
      expect(DOCS).toContain(`[${name}](../src/bots/${name}/README.md)`);
      expect(readFileSync(`src/bots/${name}/README.md`, 'utf8')).toContain(`# ${name}\n`);
    }
  });
});

/** Checks the types of files, and of nothing else. */
function problemsOf(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const paths = {
    parlance: [resolve('src/index.ts')],
    'parlance/testing': [resolve('src/harness/index.ts')],
  };
  const program = ts.createProgram(files, { ...options, paths, allowJs: true, checkJs: true });
  const sources = files.map((file) => program.getSourceFile(file));
  const found = sources.flatMap((source) => [...program.getSemanticDiagnostics(source)]);
  return found.map(({ file, messageText }) => {
    return `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
