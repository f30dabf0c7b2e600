import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { NO_PYTHON, python } from '../support/python.js';
import { startServer, type TestServer } from '../support/server.js';

const PAGE = readFileSync('docs/first-session.md', 'utf8');
const TEST_MS = 30_000;
const AS_MODULE = ['--no-warnings', '--input-type=module', '--eval'];

/** Returns the program of the page in a language, pointed at a server. */
function program(language: string, { port }: TestServer): string {
  const [, text = ''] = new RegExp('```' + language + '\\n([\\s\\S]*?)```').exec(PAGE) ?? [];
  expect(text).toContain('localhost:3000');
  return text.replaceAll('localhost:3000', `127.0.0.1:${String(port)}`);
}

/** Returns the lines of a page that readers paste into wscat. */
function pastedLines(page: string): string[] {
  return [...page.matchAll(/^ {4}({"id":.*)$/gm)].map(([, line = '']) => line);
}

/** Returns the arguments of the wscat command of a page, pointed at a server. */
function wscatArguments(page: string, { port }: TestServer): string[] {
  const [, text = ''] = /^ {4}npx wscat (.*)$/m.exec(page) ?? [];
  return text
    .replace('localhost:3000', `127.0.0.1:${String(port)}`)
    .split(' ')
    .map((argument) => argument.replaceAll('"', ''));
}

describe('the first session', () => {
  let server: TestServer;
  let reader: TestClient;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    server = await startServer();
    reader = await read();
  }, TEST_MS);

  afterEach(async () => {
    child?.kill();
    await server.dispose();
  });

  /** Joins the room that all programs of the page use. */
  async function read(): Promise<TestClient> {
    const url = `${server.url}/ws?name=reader`;
    const client = await TestClient.connect((listener) => openWebSocket(url, listener));
    await client.event('welcome');
    await client.ok('room.join', { room: 'general' });
    return client;
  }

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

  test.each(['README.md', 'docs/first-session.md'])(
    'works with wscat, as %s says',
    async (path) => {
      const page = readFileSync(path, 'utf8');
      const lines = pastedLines(page);
      expect(lines).toHaveLength(2);
      // Without a terminal, wscat reads no input: the pasted lines are passed as options.
      const pasted = lines.flatMap((line) => ['-x', line]);
      run('node_modules/.bin/wscat', ...wscatArguments(page, server), ...pasted, '-w', '1');
      await said('Hello from a WebSocket', 'ann');
    },
    TEST_MS,
  );

  test(
    'works with socket.io-client',
    async () => {
      run(process.execPath, ...AS_MODULE, program('js', server));
      await said('Hello from Socket.IO', 'sam');
    },
    TEST_MS,
  );

  test(
    'works with socket.io-client across a restart: the guest stays the same and greets once',
    async () => {
      run(process.execPath, ...AS_MODULE, program('js', server));
      await said('Hello from Socket.IO', 'sam');
      const { port, env } = server;
      await server.stop();
      server = await startServer({ ...env, PORT: String(port) });
      reader = await read();

      const members = await reader.ok('room.members', { room: 'general' });
      const sams = members.members.filter(({ user }) => user.name === 'sam');
      expect(sams).toHaveLength(1);
      const sam = sams[0]?.user.id ?? '';
      await reader.event('presence', ({ online = [] }) => online.includes(sam));
      child?.kill();
      await reader.event('presence', ({ offline = [] }) => offline.includes(sam));
      const { messages } = await reader.ok('message.history', { room: 'general' });
      const after = await reader.ok('room.members', { room: 'general' });

      expect(messages.map(({ text }) => text)).toEqual(['Hello from Socket.IO']);
      expect(after.members.filter(({ user }) => user.name === 'sam')).toEqual(sams);
    },
    TEST_MS,
  );

  if (python === undefined) {
    process.stdout.write(`\nPython: SKIPPED. ${NO_PYTHON}\n`);
    (process.env['CI'] === undefined ? test.skip : test)('works with Python', () => {
      throw new Error(NO_PYTHON);
    });
  } else {
    test(
      'works with Python',
      async () => {
        run(python as string, '-c', program('python', server));
        await said('Hello from Python', 'pia');
      },
      TEST_MS,
    );
  }
});
