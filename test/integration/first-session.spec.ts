import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { NO_PYTHON, python } from '../support/python.js';
import { startServer, type TestServer } from '../support/server.js';

const README = readFileSync('README.md', 'utf8');
const TEST_MS = 30_000;
const AS_MODULE = ['--no-warnings', '--input-type=module', '--eval'];

/** Gives the program of the README in a language, aimed at a server. */
function program(language: string, { port }: TestServer): string {
  const [, text = ''] = new RegExp('```' + language + '\\n([\\s\\S]*?)```').exec(README) ?? [];
  expect(text).toContain('localhost:3000');
  return text.replaceAll('localhost:3000', `127.0.0.1:${String(port)}`);
}

/** Gives the lines of the README that are to be pasted into wscat. */
function pastedLines(): string[] {
  return [...README.matchAll(/^ {4}({"id":.*)$/gm)].map(([, line = '']) => line);
}

/** Gives the wscat command of the README as its arguments, aimed at a server. */
function wscatArguments({ port }: TestServer): string[] {
  const [, text = ''] = /^ {4}npx wscat (.*)$/m.exec(README) ?? [];
  return text
    .replace('localhost:3000', `127.0.0.1:${String(port)}`)
    .split(' ')
    .map((argument) => argument.replaceAll('"', ''));
}

describe('the first session of the README', () => {
  let server: TestServer;
  let reader: TestClient;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    server = await startServer();
    const url = `${server.url}/ws?name=reader`;
    reader = await TestClient.connect((listener) => openWebSocket(url, listener));
    await reader.event('welcome');
    await reader.ok('room.join', { room: 'general' });
  }, TEST_MS);

  afterEach(async () => {
    child?.kill();
    await server.dispose();
  });

  function run(command: string, ...args: string[]): void {
    child = spawn(command, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  async function said(text: string, name: string): Promise<void> {
    const { message } = await reader.event(
      'message.created',
      ({ message: { sender } }) => sender.name === name,
    );
    expect(message).toMatchObject({ text, sender: { name } });
  }

  test(
    'goes well with wscat',
    async () => {
      // Without a terminal wscat reads nothing; what would be pasted goes in as options.
      const pasted = pastedLines().flatMap((line) => ['-x', line]);
      run('node_modules/.bin/wscat', ...wscatArguments(server), ...pasted, '-w', '1');
      await said('Hello from a WebSocket', 'ann');
    },
    TEST_MS,
  );

  test(
    'goes well with socket.io-client',
    async () => {
      run(process.execPath, ...AS_MODULE, program('js', server));
      await said('Hello from Socket.IO', 'sam');
    },
    TEST_MS,
  );

  if (python === undefined) {
    process.stdout.write(`\nPython: SKIPPED. ${NO_PYTHON}\n`);
    (process.env['CI'] === undefined ? test.skip : test)('goes well with Python', () => {
      throw new Error(NO_PYTHON);
    });
  } else {
    test(
      'goes well with Python',
      async () => {
        run(python as string, '-c', program('python', server));
        await said('Hello from Python', 'pia');
      },
      TEST_MS,
    );
  }
});
