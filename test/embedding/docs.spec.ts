import { execFileSync, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import ts from 'typescript';
import { WebSocket } from 'ws';

import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { typeErrorsOf } from '../support/checked-types.js';

const DOCS = readFileSync('docs/embedding.md', 'utf8');
const PACKAGES = resolve('node_modules');
const TEST_MS = 180_000;

const blocks = [...DOCS.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, , text = '']) => text);
const files = new Map(blocks.map((text) => [/^\/\/ (\S+)\n/.exec(text)?.[1] ?? '', text]));

/**
 * Apps that use the package: how they are compiled, and where npm puts them and the package.
 *
 * Jest is slow: one app of each kind of modules runs it.
 */
const APPS = [
  {
    name: 'an app of ES modules',
    type: 'module',
    module: ts.ModuleKind.ESNext,
    folder: '.',
    parlance: 'node_modules/parlance',
    runsJest: true,
  },
  {
    name: 'an app of CommonJS modules',
    type: 'commonjs',
    module: ts.ModuleKind.CommonJS,
    folder: '.',
    parlance: 'node_modules/parlance',
    runsJest: false,
  },
  {
    name: 'an app in a monorepo',
    type: 'module',
    module: ts.ModuleKind.ESNext,
    folder: 'packages/app',
    parlance: 'node_modules/parlance',
    runsJest: false,
  },
  {
    name: 'an app in a monorepo that has Parlance as a workspace',
    type: 'commonjs',
    module: ts.ModuleKind.CommonJS,
    folder: 'packages/app',
    parlance: 'packages/parlance',
    runsJest: true,
  },
] as const;

let packed: string;

beforeAll(() => {
  buildServer();
  packed = mkdtempSync(join(tmpdir(), 'parlance-package-'));
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed];
  const archive = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', join(packed, archive), '-C', packed]);
}, TEST_MS);

afterAll(() => rmSync(packed, { recursive: true }));

/**
 * Lays out a project as `npm install` does: the packed Parlance, and all other packages, in the
 * `node_modules` of the root. npm links a workspace from there to its folder.
 */
function install(root: string, parlance: string): void {
  const modules = join(root, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(PACKAGES)) {
    if (!name.startsWith('.') && name !== 'parlance') {
      symlinkSync(join(PACKAGES, name), join(modules, name));
    }
  }
  cpSync(join(packed, 'package'), join(root, parlance), { recursive: true });
  const link = join(modules, 'parlance');
  if (join(root, parlance) !== link) symlinkSync(join(root, parlance), link);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Compiles the sources of an app into `dist/`. */
function compile(app: string, module: ts.ModuleKind): void {
  const compilerOptions: ts.CompilerOptions = {
    module,
    target: ts.ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  for (const [path, text] of files) {
    if (!path.startsWith('src/') || path.endsWith('.spec.ts')) continue;
    const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: path });
    write(join(app, path.replace(/^src/, 'dist').replace(/ts$/, 'js')), outputText);
  }
}

test('docs/embedding.md has no code block that this file does not test', () => {
  expect(DOCS.match(/^```\w/gm)).toHaveLength(files.size);
  expect([...files.keys()]).not.toContain('');
});

test('the programs of docs/embedding.md pass the type check', () => {
  mkdirSync('data', { recursive: true });
  const folder = mkdtempSync(join(resolve('data'), 'embedding-'));
  try {
    for (const [path, text] of files) write(join(folder, path), text);
    const sources = [...files.keys()].filter((path) => path.endsWith('.ts'));
    expect(typeErrorsOf(sources.map((path) => join(folder, path)))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the Nest packages are peer dependencies of one major version', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const nest = Object.entries(peerDependencies).filter(([name]) => name.startsWith('@nestjs/'));

  expect(Object.keys(dependencies).filter((name) => name.startsWith('@nestjs/'))).toEqual([]);
  expect(nest.map(([name]) => name)).toContain('@nestjs/core');
  for (const [, range] of nest) expect(range).toMatch(/^\^12\./);
});

describe.each(APPS)('$name', ({ type, module, folder, parlance, runsJest }) => {
  let root: string;
  let app: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'parlance-app-'));
    app = join(root, folder);
    install(root, parlance);
    if (folder !== '.') {
      const workspaces = { name: 'monorepo', private: true, workspaces: ['packages/*'] };
      write(join(root, 'package.json'), JSON.stringify(workspaces));
    }
    write(join(app, 'package.json'), JSON.stringify({ name: 'app', type }));
    for (const [path, text] of files) write(join(app, path), text);
    compile(app, module);
  }, TEST_MS);

  afterAll(() => rmSync(root, { recursive: true }));

  test(
    'serves its gateway over a WebSocket',
    async () => {
      const child = spawn(process.execPath, ['dist/main.js'], {
        cwd: app,
        env: { PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const port = await portOf(child.stdout);

      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?name=ann`);
      await once(socket, 'open');
      socket.send('{"id":1,"cmd":"stock.count","data":{"item":"tea"}}');
      const reply = await replyOf(socket);
      socket.close();
      child.kill('SIGTERM');

      expect(reply).toEqual({ re: 1, ok: true, data: { item: 'tea', count: 3 } });
      await once(child, 'exit');
    },
    TEST_MS,
  );

  if (!runsJest) return;
  test(
    'passes its tests with the documented Jest configuration',
    () => {
      const jest = join(root, 'node_modules', 'jest-cli', 'bin', 'jest.js');
      const options = ['--experimental-vm-modules', '--no-warnings', jest, '--ci', '--silent'];
      const env = { PATH: process.env['PATH'], HOME: app };
      execFileSync(process.execPath, options, { cwd: app, env, stdio: 'pipe' });
    },
    TEST_MS,
  );
});

/** Returns the port that an app reports; keeps reading its output. */
async function portOf(output: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  output.on('data', (piece) => (text += String(piece)));
  const find = () => /Listening on \S+:(\d+)/.exec(text)?.[1];
  await eventually(() => find() !== undefined, 'the app to listen');
  return find() ?? '';
}

async function replyOf(socket: WebSocket): Promise<unknown> {
  for await (const [data] of on(socket, 'message')) {
    const frame = JSON.parse(String(data)) as { re?: unknown };
    if (frame.re !== undefined) return frame;
  }
  return undefined;
}
