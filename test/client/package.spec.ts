import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

import ts from 'typescript';

import { ROOT } from '../../tools/import-graph.js';
import { inBrowser, TEST_MS } from '../browser/scene.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { startServer, type TestServer } from '../support/server.js';

const MAX_BYTES = 40_000;
const PACKAGE = 'node_modules/parlance-client';
const PACK_MS = 120_000;

let folder: string;
let packed: string;

/** Runs npm without a network. */
function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

beforeAll(async () => {
  folder = await makeScratchFolder();
  npm(ROOT, 'pack', '--workspace', 'client', '--pack-destination', folder);
  packed = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  npm(folder, 'install', `./${packed}`);
}, PACK_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the package of the client installs without dependencies', () => {
  const installed = readdirSync(join(folder, 'node_modules')).filter((name) => name[0] !== '.');
  const manifest = JSON.parse(
    readFileSync(join(folder, PACKAGE, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;

  expect(installed).toEqual(['parlance-client']);
  expect(manifest['dependencies']).toBeUndefined();
  expect(statSync(join(folder, packed)).size).toBeLessThan(MAX_BYTES);
});

test('its version is that of the server', () => {
  const versionOf = (path: string) =>
    (JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as { version: string }).version;

  expect(versionOf('client/package.json')).toBe(versionOf('package.json'));
});

test('its types are complete without any other package', () => {
  const file = join(folder, 'app.ts');
  writeFileSync(file, TYPED);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: [],
  });
  const problems = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));

  expect(problems).toEqual([]);
});

describe('in Node.js', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.dispose());

  test('it chats with a server, with the WebSocket of Node.js', async () => {
    const program = join(folder, 'app.js');
    writeFileSync(program, PROGRAM);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      '--no-warnings',
      '--experimental-websocket',
      program,
      server.url,
    ]);

    expect({ stdout, stderr }).toEqual({ stdout: 'Hello from a package\n', stderr: '' });
  });
});

inBrowser('in a browser', (scene) => {
  test(
    'it loads without a bundler, and chats',
    async () => {
      const page = await scene.context.newPage();
      await page.route('**/installed/**', async (route) => {
        const path = new URL(route.request().url()).pathname.replace('/installed/', 'dist/');
        const body = readFileSync(join(folder, PACKAGE, path), 'utf8');
        await route.fulfill({ contentType: 'text/javascript', body });
      });
      await page.goto(`${scene.server.url}/healthz`);
      const text = await page.evaluate(`(async () => {
        const { connect } = await import('/installed/index.js');
        const chat = connect({ url: location.origin });
        const heard = new Promise((resolve) => chat.on('message.created', resolve));
        await chat.call('room.join', { room: 'general' });
        await chat.send({ room: 'general', text: 'Hello from a page' });
        return (await heard).message.text;
      })()`);

      expect(text).toBe('Hello from a page');
    },
    TEST_MS,
  );

  test(
    'it tells a page of another origin which setting allows it',
    async () => {
      const page = await scene.context.newPage();
      const here = `http://localhost:${String(scene.server.port)}`;
      await page.route('**/installed/**', async (route) => {
        const path = new URL(route.request().url()).pathname.replace('/installed/', 'dist/');
        const body = readFileSync(join(folder, PACKAGE, path), 'utf8');
        await route.fulfill({ contentType: 'text/javascript', body });
      });
      await page.goto(`${here}/healthz`);
      const failure = await page.evaluate<{ code: string; message: string }>(`(async () => {
        const { connect } = await import('/installed/index.js');
        const chat = connect({ url: '${scene.server.url}' });
        return new Promise((resolve) => chat.on('status', ({ error }) => {
          if (error !== undefined) resolve({ code: error.code, message: error.message });
        }));
      })()`);

      expect(failure.code).toBe('origin_refused');
      expect(failure.message).toContain(
        `does not accept connections from ${here}. Add the origin to`,
      );
    },
    TEST_MS,
  );
});

const PROGRAM = `
import { connect } from 'parlance-client';

const chat = connect({ url: process.argv[2] });
const heard = new Promise((resolve) => chat.on('message.created', resolve));
await chat.call('room.join', { room: 'general' });
await chat.send({ room: 'general', text: 'Hello from a package' });
console.log((await heard).message.text);
await chat.close();
`;

const TYPED = `
import { ChatError, connect, type Message } from 'parlance-client';

const chat = connect({ url: 'wss://chat.example', token: async () => undefined });
chat.on('message.created', ({ message }) => show(message));
chat.on('closed', ({ error }) => error?.message);
const cut = await chat.call('room.join', { room: 'general' }, { timeoutMs: 1000 });
const members: string[] = cut.members.map(({ user }) => user.name);
const { message } = await chat.send({ room: 'general', text: 'hi' });
const blob: Blob = await chat.download(message.attachments![0]!);
function show({ sender, text }: Message): string {
  return sender.name + text + members.join() + String(blob.size);
}
// @ts-expect-error There is no such command.
await chat.call('room.jump', {});
// @ts-expect-error A room is named by a text.
await chat.call('room.join', { room: 1 });
export const isOurs = (error: unknown) => error instanceof ChatError && error.code === 'timeout';
export {};
`;
