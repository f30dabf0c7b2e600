import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { Scene } from './scene.js';

const EXAMPLE = 'examples/terminal-chat.js';
const ROOM = 'terminal';
const BUILD_MS = 120_000;

/** A program that runs as a user runs it in a terminal. */
class Terminal {
  printed = '';
  private readonly child: ChildProcess;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, ['--no-warnings', ...args], { stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (text: Buffer) => (this.printed += text.toString()));
    }
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Waits until lines were printed. */
  async prints(...lines: string[]): Promise<void> {
    const isPrinted = () => this.printed.endsWith(lines.map((line) => `${line}\n`).join(''));
    await eventually(isPrinted, lines.join(', '));
  }

  /** Ends the input; resolves to the exit code of the program. */
  async end(): Promise<unknown> {
    this.child.stdin?.end();
    const [code] = (await once(this.child, 'exit')) as unknown[];
    return code;
  }

  kill(): void {
    this.child.kill();
  }
}

let scene: Scene;
let terminal: Terminal | undefined;

beforeAll(() => buildServer(), BUILD_MS);
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(async () => {
  terminal?.kill();
  await scene.dispose();
});

test('is short', () => {
  expect(readFileSync(EXAMPLE, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(30);
});

test.each([
  ['the package ws', '--no-experimental-websocket'],
  ['the WebSocket of Node.js', '--experimental-websocket'],
])('prints the messages of others and sends typed lines, with %s', async (_, flag) => {
  const rob = await scene.bystander();
  const say = (text: string) => rob.ok('message.send', { room: ROOM, text });
  await rob.ok('room.join', { room: ROOM, create: true });
  await say('who is there?');
  terminal = new Terminal(flag, EXAMPLE, scene.url, ROOM, 'ann');
  await terminal.prints('rob: who is there?');
  terminal.type('it is me\n');
  await terminal.prints('ann: it is me');
  scene.proxy.cut();
  await terminal.prints('(back in 1 s)');
  await say('come back');
  scene.proxy.repair();
  await terminal.prints('rob: come back');
  terminal.type('goodbye');
  const code = await terminal.end();

  expect(code).toBe(0);
  const { messages } = await rob.ok('message.history', { room: ROOM });
  expect(messages.map(({ text }) => text)).toEqual([
    'who is there?',
    'it is me',
    'come back',
    'goodbye',
  ]);
});

test.each(['README.md', 'docs/web-apps.md'])(
  'the program of %s sends its message',
  async (page) => {
    const text = readFileSync(page, 'utf8');
    const [, program = ''] = /```js\n(import { connect }[\s\S]*?)```/.exec(text) ?? [];
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: 'general' });
    const source = program
      .replace('wss://chat.example.org', scene.url)
      .replace('parlance-client', 'parlance/client');
    terminal = new Terminal('--input-type=module', '--eval', source);
    const { message } = await rob.event('message.created');
    await terminal.prints('general Hello from a program');

    expect(message).toMatchObject({ text: 'Hello from a program', sender: { name: 'ann' } });
  },
);
