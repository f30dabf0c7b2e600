import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { BotSetupError, connectBot, defineChatBot, type ConnectBotOptions } from '#src/index.js';

import { buildServer } from '../support/child-server.js';

const BUILD_MS = 120_000;
const NOWHERE = 'ws://127.0.0.1:9/ws';

const OneBot = defineChatBot({ name: 'one', fallback: () => 'one' });
const TwoBot = defineChatBot({ name: 'two', fallback: () => 'two' });
const SameBot = defineChatBot({ name: 'one', fallback: () => 'same' });
const WordyBot = defineChatBot({
  name: 'wordy',
  commands: { go: { help: 'x'.repeat(257), run: () => 'gone' } },
});

class NoBot {
  readonly name = 'none';
}

function begin(options: Partial<ConnectBotOptions>) {
  return connectBot({ url: NOWHERE, token: 'pbt_x', bots: [OneBot], logger: false, ...options });
}

describe('connectBot refuses at once', () => {
  test.each<[string, Partial<ConnectBotOptions>, string]>([
    ['no bots', { bots: [] }, 'There is no bot to connect: name it in bots.'],
    ['what is no bot', { bots: [NoBot] }, 'NoBot is no bot: mark the class with @ChatBot(…).'],
    [
      'one token for two bots',
      { bots: [OneBot, TwoBot] },
      "One token is that of one bot: give { one: 'pbt_…', two: 'pbt_…' }.",
    ],
    [
      'a bot without a token',
      { bots: [OneBot, TwoBot], token: { one: 'pbt_x' } },
      "There is no token for the bot two: give { two: 'pbt_…' }.",
    ],
    ['an empty token', { token: '' }, 'The token of the bot one is empty.'],
    ['two bots of a name', { bots: [OneBot, SameBot] }, 'Two bots are named one'],
    ['a help that is too long', { bots: [WordyBot] }, 'The command /go of wordy is refused: '],
    ['a window that is too large', { inFlight: 257 }, 'The bot of one is refused: '],
  ])('%s', async (_, options, why) => {
    const error = await begin(options).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(BotSetupError);
    expect(String(error)).toContain(why);
  });

  test('an address that is none', async () => {
    await expect(begin({ url: 'nowhere' })).rejects.toMatchObject({ name: 'TypeError' });
  });
});

test('a program that is closed before it ever was connected has ended well', async () => {
  const statuses: string[] = [];
  const program = await begin({ onStatus: (bot, { name }) => statuses.push(`${bot} ${name}`) });
  const ready = program.ready();
  ready.catch(() => undefined);
  await program.close();
  await program.closed();

  expect(statuses.at(-1)).toBe('one closed');
  await expect(ready).rejects.toThrow('The client was closed.');
});

test(
  'what is imported opens no database',
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
