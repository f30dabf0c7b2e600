import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { buildServer } from '../support/child-server.js';
import { eventually } from '../support/eventually.js';
import { FarScene } from './far-scene.js';

const EXAMPLE = 'examples/coin-bot.js';
const BUILD_MS = 120_000;

let far: FarScene;
let child: ChildProcess;
let printed = '';

beforeAll(() => buildServer(), BUILD_MS);
beforeEach(async () => {
  far = await FarScene.start('websocket', 'coin');
});
afterEach(async () => {
  child.kill('SIGKILL');
  await far.dispose();
});

function run(token: string): void {
  printed = '';
  const args = ['--no-warnings', EXAMPLE, far.scene.url, token];
  child = spawn(process.execPath, args, { stdio: 'pipe' });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text: Buffer) => (printed += text.toString()));
  }
}

/** Has ann flip the coin; gives what the bot says. */
async function flip(): Promise<string> {
  await far.say('/flip');
  const { message } = await far.ann.event('message.created', (data) => {
    return data.message.sender.kind === 'bot';
  });
  return message.text;
}

test('the example is short', () => {
  run('');
  expect(readFileSync(EXAMPLE, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40);
});

test('flips coins, counts on after it was started anew, and ends when it is told to', async () => {
  run(far.token);
  expect(await flip()).toMatch(/^(Heads|Tails), at flip 1 in this room\.$/);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  run(far.token);
  expect(await flip()).toMatch(/^(Heads|Tails), at flip 2 in this room\.$/);
  await eventually(() => printed === 'coin: open\n', 'what it prints');
});

test('ends with an error if its token is refused', async () => {
  run('pbt_none');
  const [code] = (await once(child, 'close')) as unknown[];

  expect(code).toBe(1);
  expect(printed).toContain('The bot coin does not come back: hello was refused');
});
