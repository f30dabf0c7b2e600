import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Sqlite } from '#src/database/sqlite.js';

import { ROOT } from '../../tools/import-graph.js';
import { ChaosProxy } from '../support/chaos-proxy.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { NO_PYTHON, python } from '../support/python.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { startServer, type TestServer } from '../support/server.js';

const DOCS = readFileSync('docs/clients.md', 'utf8');
const ROOM = 'general';
const MAX_LINES = 79;
/** Longer than the maximum delay between two attempts of the client, 20 seconds. */
const TEST_MS = 90_000;
const BUILD_MS = 120_000;
/** Heartbeats so short that clients detect a dead server within a second. */
const QUICK = {
  PARLANCE_LIMIT_HEARTBEAT_INTERVAL_MS: '400',
  PARLANCE_LIMIT_HEARTBEAT_TIMEOUT_MS: '400',
};

/** Returns the program of the page in a language. */
function programOf(language: string): string {
  const [, text = ''] = new RegExp('^```' + language + '\\n([^]*?)^```$', 'm').exec(DOCS) ?? [];
  return text;
}

const LANGUAGES = [
  { language: 'js', file: 'client.mjs', command: process.execPath as string | undefined },
  { language: 'python', file: 'client.py', command: python },
];

/** A server that can be killed and restarted, behind a network that can fail. */
class Scene {
  private child: ChildProcess | undefined;
  private readonly readers: TestClient[] = [];
  printed = '';

  private constructor(
    readonly folder: string,
    private server: ChildServer | TestServer,
    readonly proxy: ChaosProxy,
  ) {}

  /** Starts a scene whose server runs in a process of its own, which can be killed. */
  static async withProcess(): Promise<Scene> {
    const folder = await makeScratchFolder();
    return Scene.of(folder, await ChildServer.start({ PARLANCE_DATA_DIR: folder, ...QUICK }));
  }

  /** Starts a scene whose server runs in this process, which starts faster. */
  static async start(): Promise<Scene> {
    return Scene.of(await makeScratchFolder(), await startServer(QUICK));
  }

  private static async of(folder: string, server: ChildServer | TestServer): Promise<Scene> {
    const proxy = await ChaosProxy.start({ host: '127.0.0.1', port: server.port });
    return new Scene(folder, server, proxy);
  }

  /** Runs a program of the page, behind the network. */
  run(command: string, file: string, text: string): void {
    const path = join(this.folder, file);
    // Node.js looks for imported packages beside the file.
    writeFileSync(
      path,
      text.replace("import('ws')", `import('${ROOT}node_modules/ws/wrapper.mjs')`),
    );
    const url = `ws://127.0.0.1:${String(this.proxy.port)}/ws`;
    this.child = spawn(command, [path, url, ROOM, 'ann'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout?.on('data', (printed: Buffer) => (this.printed += printed.toString()));
  }

  type(line: string): void {
    this.child?.stdin?.write(`${line}\n`);
  }

  /** Waits until exactly these lines were printed. */
  async prints(...lines: string[]): Promise<void> {
    const isPrinted = () => this.printed.endsWith(`${lines.at(-1) ?? ''}\n`);
    await eventually(isPrinted, `${lines.at(-1) ?? ''} after ${this.printed}`);
    expect(this.printed.trimEnd().split('\n')).toEqual(lines);
  }

  async kill(): Promise<void> {
    await ChildServer.killAll();
  }

  async restart(): Promise<void> {
    const { port } = this.server;
    this.server = await ChildServer.start({
      PARLANCE_DATA_DIR: this.folder,
      PORT: String(port),
      ...QUICK,
    });
  }

  /** Connects another user, without the network in between. */
  async rob(): Promise<TestClient> {
    const client = await TestClient.connect((listener) =>
      openWebSocket(`${this.server.url}/ws`, listener, { hello: { name: 'rob' } }),
    );
    this.readers.push(client);
    await client.ok('room.join', { room: ROOM });
    return client;
  }

  async end(): Promise<void> {
    this.child?.kill('SIGKILL');
    await Promise.all(this.readers.map((client) => client.close()));
    await (this.server instanceof ChildServer ? ChildServer.killAll() : this.server.dispose());
    await this.proxy.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

beforeAll(() => buildServer(), BUILD_MS);

describe.each(LANGUAGES)('the client of docs/clients.md in $language', (client) => {
  const text = programOf(client.language);
  const { command } = client;

  test('has fewer than 80 lines', () => {
    const lines = text.trimEnd().split('\n').length;

    expect(lines).toBeGreaterThan(40);
    expect(lines).toBeLessThanOrEqual(MAX_LINES);
  });

  if (command === undefined) {
    process.stdout.write(`\nPython: SKIPPED. ${NO_PYTHON}\n`);
    (process.env['CI'] === undefined ? test.skip : test)('runs', () => {
      throw new Error(NO_PYTHON);
    });
    return;
  }

  describe('against a server', () => {
    let scene: Scene;
    afterEach(() => scene.end(), TEST_MS);

    const say = (rob: TestClient, said: string) =>
      rob.ok('message.send', { room: ROOM, text: said });

    test(
      'prints and sends each message once through a kill and a restart',
      async () => {
        scene = await Scene.withProcess();
        const before = await scene.rob();
        await say(before, 'one');
        scene.run(command, client.file, text);
        await scene.prints('rob: one');
        await say(before, 'two');
        await scene.prints('rob: one', 'rob: two');
        const held = scene.proxy.holdNext((sent) => sent.length > 100);
        scene.type('is this stored?');
        (await held).release();
        await before.event('message.created', ({ message }) => message.text === 'is this stored?');
        await scene.prints('rob: one', 'rob: two', 'ann: is this stored?');
        await scene.kill();
        scene.type('typed while it was dead');
        await scene.restart();
        const after = await scene.rob();
        await scene.prints(
          'rob: one',
          'rob: two',
          'ann: is this stored?',
          'ann: typed while it was dead',
        );
        await say(after, 'three');

        await scene.prints(
          'rob: one',
          'rob: two',
          'ann: is this stored?',
          'ann: typed while it was dead',
          'rob: three',
        );
        const { messages } = await after.ok('message.history', { room: ROOM });
        expect(messages).toHaveLength(5);
        expect(new Set(messages.slice(2, 4).map(({ sender }) => sender.id)).size).toBe(1);
      },
      TEST_MS,
    );

    test(
      'gets missed messages page by page, in order',
      async () => {
        scene = await Scene.start();
        const rob = await scene.rob();
        scene.run(command, client.file, text);
        await say(rob, 'first');
        await scene.prints('rob: first');
        scene.proxy.cut();
        const missed = Array.from({ length: 90 }, (_, i) => `${String(i)} ${'x'.repeat(3_900)}`);
        for (const each of missed) await say(rob, each);
        scene.proxy.repair();

        await scene.prints('rob: first', ...missed.map((each) => `rob: ${each}`));
      },
      TEST_MS,
    );

    test(
      'continues from a new cut after a gap, and says so',
      async () => {
        scene = await Scene.withProcess();
        const rob = await scene.rob();
        await say(rob, 'one');
        scene.run(command, client.file, text);
        await scene.prints('rob: one');
        await scene.kill();
        const database = new Sqlite(join(scene.folder, 'parlance.db'));
        database.exec(`UPDATE rooms SET epoch = 'another' WHERE id NOT LIKE '@%'`);
        database.close();
        await scene.restart();
        await eventually(() => scene.printed.includes('missing'), 'the report of missing messages');
        await say(await scene.rob(), 'two');

        await scene.prints('rob: one', '(messages may be missing here)', 'rob: one', 'rob: two');
      },
      TEST_MS,
    );

    test(
      'notices a dead server that does not close',
      async () => {
        scene = await Scene.start();
        const rob = await scene.rob();
        scene.run(command, client.file, text);
        await say(rob, 'one');
        await scene.prints('rob: one');
        scene.proxy.stall();
        await say(rob, 'two');
        // The stalled connection stays; the next frame arrives over another one.
        scene.proxy.resumeNew();

        await scene.prints('rob: one', 'rob: two');
      },
      TEST_MS,
    );
  });
});
