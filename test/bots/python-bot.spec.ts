import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';

import { WebSocketServer } from 'ws';

import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { NO_PYTHON, python } from '../support/python.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { createBot, echoesIn, StubbornSender, untilSaid } from './stubborn-sender.js';

const ROOM = 'echo';
const EXAMPLE = 'examples/echo_bot.py';
const MESSAGES = 1_000;
const TEST_MS = 120_000;
const LIMITED = { code: 'rate_limited', message: 'Later.', retryable: true, retryAfterMs: 1 };

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

inPython(
  'acknowledges a message after its answer is stored, and exits on a final bye',
  async (py) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const replies: Record<string, unknown[]> = { 'message.send': [LIMITED] };
    const commands: string[] = [];
    server.on('connection', (socket) => {
      const send = (frame: unknown) => socket.send(JSON.stringify(frame));
      socket.on('message', (text: Buffer) => {
        const { id, cmd } = JSON.parse(text.toString()) as { id: unknown; cmd: string };
        commands.push(cmd);
        const refusal = replies[cmd]?.shift();
        if (refusal !== undefined) send({ re: id, ok: false, error: refusal });
        else send({ re: id, ok: true, data: {} });
        if (cmd === 'hello') for (const seq of [1, 2]) send(created(seq));
        if (commands.filter((name) => name === 'bot.ack').length < 2) return;
        send({ event: 'bye', data: { code: 4004, reason: 'Replaced.', reconnect: false } });
        socket.close(4004);
      });
    });
    const bot = spawn(py, [EXAMPLE, `ws://127.0.0.1:${String(port)}`, 'token'], {
      stdio: 'ignore',
    });
    try {
      const [code] = (await once(bot, 'exit')) as [number];
      expect(code).toBe(1);
      const answered = ['message.send', 'bot.ack'];
      expect(commands).toEqual(['hello', 'message.send', ...answered, ...answered]);
    } finally {
      bot.kill('SIGKILL');
      server.close();
    }
  },
);

function created(seq: number): object {
  const message = { id: `m${String(seq)}`, text: '/echo hello' };
  return { event: 'message.created', data: { room: ROOM, seq, message } };
}

inPython('answers each of 1,000 messages once while bot and server are killed', async (py) => {
  buildServer();
  const database = await freshDatabase();
  const token = createBot('echo', database);
  let server = await ChildServer.start(database);
  const { port } = server;
  let bot: ChildProcess | undefined;
  const startBot = () => {
    const args = [EXAMPLE, `ws://127.0.0.1:${String(port)}/ws`, token];
    bot = spawn(py, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  };
  const killBot = async () => {
    bot?.kill('SIGKILL');
    if (bot?.exitCode === null) await once(bot, 'exit');
  };
  try {
    const sender = new StubbornSender(port, ROOM);
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
      await sender.send(`/echo ${String(i)}`, String(i));
    }
    const client = await sender.connected();
    await untilSaid(String(MESSAGES - 1), client);

    const echoed = await echoesIn(ROOM, client);
    expect(echoed).toEqual(Array.from({ length: MESSAGES }, (_, i) => String(i)));
  } finally {
    await killBot();
    await ChildServer.killAll();
    await dropDatabase(database);
  }
});
