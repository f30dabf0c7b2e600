import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { BotSetupError, connectBot, defineChatBot, type ConnectBotOptions } from '#src/index.js';

import { buildServer } from '../support/built-server.js';

const BUILD_MS = 120_000;
const NOWHERE = 'ws://127.0.0.1:9/ws';

const OneBot = defineChatBot({ name: 'one', fallback: () => 'one' });
const TwoBot = defineChatBot({ name: 'two', fallback: () => 'two' });
const SameBot = defineChatBot({ name: 'one', fallback: () => 'same' });
const WordyBot = defineChatBot({
  name: 'wordy',
  commands: { go: { help: 'x'.repeat(257), run: () => 'gone' } },
});
const TwoLineBot = defineChatBot({
  name: 'two-line',
  commands: { go: { help: '/go\nbob: I confess', run: () => 'gone' } },
});
const AboutBot = defineChatBot({ name: 'about', about: 'a\nb', fallback: () => 'one' });

class NoBot {
  readonly name = 'none';
}

function connect(options: Partial<ConnectBotOptions>) {
  return connectBot({ url: NOWHERE, token: 'pbt_x', bots: [OneBot], logger: false, ...options });
}

describe('connectBot throws at once for', () => {
  test.each<[string, Partial<ConnectBotOptions>, string]>([
    ['no bots', { bots: [] }, 'There is no bot to connect: add one to `bots`.'],
    [
      'a class without @ChatBot',
      { bots: [NoBot] },
      'NoBot is not a bot: decorate the class with @ChatBot(…).',
    ],
    [
      'one token for two bots',
      { bots: [OneBot, TwoBot] },
      "A token belongs to one bot: pass { one: 'pbt_…', two: 'pbt_…' }.",
    ],
    [
      'a bot without a token',
      { bots: [OneBot, TwoBot], token: { one: 'pbt_x' } },
      "There is no token for the bot two: pass { two: 'pbt_…' }.",
    ],
    ['an empty token', { token: '' }, 'The token of the bot one is empty.'],
    ['two bots with one name', { bots: [OneBot, SameBot] }, 'Two bots are named one'],
    [
      'a help text that is too long',
      { bots: [WordyBot] },
      'has an invalid help text: it must be one line',
    ],
    [
      'a help text with a newline',
      { bots: [TwoLineBot] },
      'has an invalid help text: it must be one line',
    ],
    [
      'an about text with a newline',
      { bots: [AboutBot] },
      'has an invalid about text: it must be one line',
    ],
    ['a window that is too large', { inFlight: 257 }, 'The bot of one is invalid: '],
  ])('%s', async (_, options, message) => {
    const error = await connect(options).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(BotSetupError);
    expect(String(error)).toContain(message);
  });

  test('an invalid url', async () => {
    await expect(connect({ url: 'nowhere' })).rejects.toMatchObject({ name: 'TypeError' });
  });
});

test('a program that is closed before it has connected closes without an error', async () => {
  const statuses: string[] = [];
  const program = await connect({ onStatus: (bot, { name }) => statuses.push(`${bot} ${name}`) });
  const ready = program.ready();
  ready.catch(() => undefined);
  await program.close();
  await program.closed();

  expect(statuses.at(-1)).toBe('one closed');
  await expect(ready).rejects.toThrow('The client was closed.');
});

test(
  'importing the package opens no database',
  () => {
    buildServer();
    const folder = mkdtempSync(join(tmpdir(), 'parlance-import-'));
    const module = pathToFileURL(resolve('dist/index.js')).href;
    const program = `import { connectBot } from '${module}'; console.log(typeof connectBot);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: folder,
      encoding: 'utf8',
    });

    expect(stdout).toBe('function\n');
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
  BUILD_MS,
);
