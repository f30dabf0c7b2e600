import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { buildServer, ChildServer } from '../support/child-server.js';
import { TestClient } from '../support/client.js';
import { NO_PYTHON, python } from '../support/python.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { openWire } from '../support/wire-transports.js';

const ROOM = 'echo';
const EXAMPLE = 'examples/echo_bot.py';
const MESSAGES = 1_000;
const TEST_MS = 120_000;
const TOKEN = /pbt_[\w-]+/;

/** Somebody who sends on, whatever becomes of the server. */
class Sender {
  private client: TestClient | undefined;
  private token: string | undefined;

  constructor(private readonly port: number) {}

  async connected(): Promise<TestClient> {
    if (this.client !== undefined && this.client.closedAs === undefined) return this.client;
    const client = await TestClient.connect((listener) =>
      openWire('websocket', this.port, listener),
    );
    const token = this.token === undefined ? {} : { token: this.token };
    await client.ok('hello', { protocol: 1, ...token });
    this.token ??= client.welcome.token;
    await client.ok('room.join', { room: ROOM, create: true });
    this.client = client;
    return client;
  }

  async send(cid: string): Promise<void> {
    for (;;) {
      try {
        const client = await this.connected();
        await client.ok('message.send', { room: ROOM, text: `/echo ${cid}`, cid });
        return;
      } catch (error) {
        if (this.client?.closedAs === undefined && this.client !== undefined) throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

async function readAll(client: TestClient): Promise<string[]> {
  const texts: string[] = [];
  let after = 0;
  for (;;) {
    const { messages, hasMore } = await client.ok('message.history', {
      ...{ room: ROOM, after, limit: 100 },
    });
    texts.push(...messages.filter(({ sender }) => sender.kind === 'bot').map(({ text }) => text));
    after = messages.at(-1)?.seq ?? after;
    if (!hasMore) return texts;
  }
}

test('the example in Python is short', () => {
  const lines = readFileSync(EXAMPLE, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(40);
});

function inPython(title: string, body: (command: string) => Promise<void>): void {
  if (python !== undefined) {
    const command = python;
    test(title, () => body(command), TEST_MS);
    return;
  }
  process.stdout.write(`\nPython: SKIPPED. ${NO_PYTHON}\n`);
  (process.env['CI'] === undefined ? test.skip : test)(title, () => {
    throw new Error(NO_PYTHON);
  });
}

inPython('answers each of 1,000 messages once, though it and the server are killed', async (py) => {
  buildServer();
  const database = await freshDatabase();
  const token = TOKEN.exec(
    execFileSync(process.execPath, ['dist/bot-create.js', 'echo'], {
      encoding: 'utf8',
      env: { ...process.env, ...database },
    }),
  )?.[0];
  let server = await ChildServer.start(database);
  const { port } = server;
  let bot: ChildProcess | undefined;
  const startBot = () => {
    const args = [EXAMPLE, `ws://127.0.0.1:${String(port)}/ws`, token ?? ''];
    bot = spawn(py, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  };
  const killBot = async () => {
    bot?.kill('SIGKILL');
    if (bot?.exitCode === null) await once(bot, 'exit');
  };
  try {
    const sender = new Sender(port);
    await (await sender.connected()).ok('bot.add', { room: ROOM, bot: 'echo' });
    startBot();
    for (let i = 0; i < MESSAGES; i++) {
      if (i === 250 || i === 750) {
        await killBot();
        startBot();
      }
      if (i === 500) {
        await server.kill('SIGKILL');
        server = await ChildServer.start({ ...database, PORT: String(port) });
      }
      await sender.send(String(i));
    }
    const client = await sender.connected();
    const last = String(MESSAGES - 1);
    await client.event('message.created', ({ message }) => message.text === last);

    const echoed = await readAll(client);
    expect(echoed).toEqual(Array.from({ length: MESSAGES }, (_, i) => String(i)));
  } finally {
    await killBot();
    await ChildServer.killAll();
    await dropDatabase(database);
  }
});
