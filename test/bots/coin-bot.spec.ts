import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { RemoteBotScene } from './remote-bot-scene.js';

const EXAMPLE = 'examples/coin-bot.js';
const BUILD_MS = 120_000;

let remote: RemoteBotScene;
let child: ChildProcess;
let printed = '';

beforeAll(() => buildServer(), BUILD_MS);
beforeEach(async () => {
  remote = await RemoteBotScene.start('websocket', 'coin');
});
afterEach(async () => {
  child.kill('SIGKILL');
  await remote.dispose();
});

function run(token: string): void {
  printed = '';
  const args = ['--no-warnings', EXAMPLE, remote.scene.url, token];
  child = spawn(process.execPath, args, { stdio: 'pipe' });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text: Buffer) => (printed += text.toString()));
  }
}

/** Sends /flip; returns the answer of the bot. */
async function flip(): Promise<string> {
  await remote.say('/flip');
  const { message } = await remote.ann.event('message.created', (data) => {
    return data.message.sender.kind === 'bot';
  });
  return message.text;
}

test('the example is short', () => {
  run('');
  expect(readFileSync(EXAMPLE, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40);
});

test('flips coins, keeps its count after a restart, and exits on request', async () => {
  run(remote.token);
  expect(await flip()).toMatch(/^(Heads|Tails), at flip 1 in this room\.$/);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  run(remote.token);
  expect(await flip()).toMatch(/^(Heads|Tails), at flip 2 in this room\.$/);
  await eventually(() => printed === 'coin: open\n', 'what it prints');
});

test('exits with an error if its token is refused', async () => {
  run('pbt_none');
  const [code] = (await once(child, 'close')) as unknown[];

  expect(code).toBe(1);
  expect(printed).toContain('The bot coin has stopped: The server refused the token');
});
