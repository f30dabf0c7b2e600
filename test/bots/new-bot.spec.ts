import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { BUILT_IN_BOTS } from '#src/bots/built-in/built-in-bots.js';
import { BOT_OPTIONS } from '#src/bots/kit/chat-bot.decorator.js';
import type { BotOptions } from '#src/bots/kit/bot-definition.js';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { TestClient } from '../support/client.js';
import { dropDatabase, freshDatabase } from '../support/server.js';

const SCRIPT = resolve('tools/new-bot.js');
const TEST_MS = 60_000;

let folder: string;

beforeEach(() => {
  // Inside the project folder, as bots of users: they import the package by its name.
  mkdirSync('data', { recursive: true });
  folder = mkdtempSync(resolve('data', 'new-bot-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  return { status, output: stdout + stderr };
}

describe('npm run bot:new', () => {
  test(
    'creates a bot that the server loads, and whose test passes with the command of its README',
    async () => {
      buildServer();
      expect(run(SCRIPT, 'tea-2')).toMatchObject({ status: 0 });
      const made = join(folder, 'bots', 'tea-2');
      expect(readdirSync(made).sort()).toEqual(['README.md', 'tea-2.bot.js', 'tea-2.test.js']);
      const readme = readFileSync(join(made, 'README.md'), 'utf8');
      expect(readme).toMatch(/^# tea-2$/m);
      const [, test = ''] = /^ {4}node (--test .*)$/m.exec(readme) ?? [];
      const { status, output } = run(...test.split(' '));
      expect(output).toMatch(/^(#|ℹ) pass 3$/m);
      expect(status).toBe(0);
      await expectAnswer(join(made, 'tea-2.bot.js'));
    },
    TEST_MS,
  );

  test('refuses an existing folder', () => {
    run(SCRIPT, 'tea');
    const { status, output } = run(SCRIPT, 'tea');
    expect(output).toContain('bots/tea already exists');
    expect(status).toBe(1);
  });

  test.each(['Tea', 'tea_time', '-tea', 'x'.repeat(33), 'everyone', undefined])(
    'refuses the name %p',
    (name) => {
      const { status, output } = run(SCRIPT, ...(name === undefined ? [] : [name]));
      expect(output).toMatch(/is not a valid bot name|is taken|name of the bot is missing/);
      expect(status).toBe(1);
    },
  );

  test('refuses the names of built-in bots', () => {
    for (const bot of BUILT_IN_BOTS) {
      const { name } = Reflect.getMetadata(BOT_OPTIONS, bot) as BotOptions;
      expect(run(SCRIPT, name).output).toBe(`The name ${name} is taken: choose another name.\n`);
    }
  });
});

async function expectAnswer(file: string): Promise<void> {
  const env = { ...(await freshDatabase()), PARLANCE_ROOM_BOTS: 'tea-2' };
  const server = await ChildServer.start({ ...env, PARLANCE_BOTS: file });
  const url = `${server.url}/ws?name=ann`;
  const ann = await TestClient.connect((listener) => openWebSocket(url, listener));
  await ann.event('welcome');
  await ann.ok('room.join', { room: 'general' });
  await ann.ok('message.send', { room: 'general', text: '/tea-2' });
  const { message } = await ann.event(
    'message.created',
    ({ message: { sender } }) => sender.kind === 'bot',
  );
  expect(message.text).toBe('Hello, world!');
  await server.kill('SIGTERM');
  await dropDatabase(env);
}

test(
  'the server names a missing bot file and does not start',
  async () => {
    const env = await freshDatabase();
    const server = new ChildServer({ ...env, PARLANCE_BOTS: SCRIPT.replace('.js', '.ts') });
    expect(await server.ended()).toMatchObject({ code: 1 });
    expect(server.stderr).toMatch(
      /^PARLANCE_BOTS names .*new-bot\.ts, but no file in .* matches it\. Fix it/m,
    );
    expect(server.stderr).not.toContain('    at ');
    await dropDatabase(env);
  },
  TEST_MS,
);
