import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { createBot, echoesIn, StubbornSender, untilSaid } from './stubborn-sender.js';

const ROOM = 'echo';
const MESSAGES = 400;
const TEST_MS = 180_000;

/** Records each message, and echoes it. */
const PROGRAM = `
import { appendFileSync } from 'node:fs';
import { connectBot, defineChatBot } from 'parlance';
const [url, token, transport, file] = process.argv.slice(1);
const EchoBot = defineChatBot({
  name: 'echo',
  commands: {
    echo: {
      help: '/echo text',
      run(bot) {
        appendFileSync(file, bot.text + '\\n');
        return bot.text;
      },
    },
  },
});
const reconnectDelays = { firstMs: 20, longestMs: 200 };
const program = await connectBot({ url, token, transport, reconnectDelays, bots: [EchoBot] });
await program.closed();
`;

/** A standalone bot that can be killed. */
class ChildBot {
  private child: ChildProcess | undefined;

  constructor(private readonly args: readonly string[]) {}

  start(): void {
    const args = ['--input-type=module', '--eval', PROGRAM, ...this.args];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

test.each(['websocket', 'socket.io'])(
  'each of 400 messages is answered once over %s while bot and server are killed',
  async (transport) => {
    buildServer();
    const database = await freshDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'parlance-echo-'));
    const file = join(folder, 'processed');
    const token = createBot('echo', database);
    let server = await ChildServer.start(database);
    const { port, url } = server;
    const bot = new ChildBot([url, token, transport, file]);
    try {
      const sender = new StubbornSender(port, ROOM);
      await (await sender.connected()).ok('bot.add', { room: ROOM, bot: 'echo' });
      bot.start();
      for (let i = 0; i < MESSAGES; i++) {
        if (i === 100 || i === 300) {
          await bot.kill();
          bot.start();
        }
        if (i === 200) {
          await server.kill('SIGKILL');
          server = await ChildServer.start({ ...database, PORT: String(port) });
        }
        await sender.send(`/echo ${String(i)}`, String(i));
      }
      const client = await sender.connected();
      await untilSaid(String(MESSAGES - 1), client);

      const all = Array.from({ length: MESSAGES }, (_, i) => String(i));
      expect(await echoesIn(ROOM, client)).toEqual(all);
      const processed = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect([...new Set(processed)].sort()).toEqual([...all].sort());
    } finally {
      await bot.kill();
      await ChildServer.killAll();
      await dropDatabase(database);
      rmSync(folder, { recursive: true });
    }
  },
  TEST_MS,
);
