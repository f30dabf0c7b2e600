import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { BrowserContext, Page } from 'playwright-core';

import { importsOf, read, ROOT } from '../../tools/import-graph.js';
import { inBrowser, TEST_MS } from '../browser/scene.js';
import { buildServer } from '../support/built-server.js';

const ENTRY = 'dist/client/index.js';
/** A package that the app may have; bundlers do not see the name. */
const LOADED_LATER = /\bloadPackage\('([^']+)'\)/g;
const BUILD_MS = 120_000;
const ROOM = 'general';

beforeAll(() => buildServer(), BUILD_MS);

/** The modules that a program loads, starting with its entry. */
interface Graph {
  readonly files: Set<string>;
  /** Loaded in any case. */
  readonly packages: Set<string>;
  /** Loaded on demand. */
  readonly later: Set<string>;
}

function visit(path: string, graph: Graph): Graph {
  if (graph.files.has(path)) return graph;
  graph.files.add(path);
  const text = read(path);
  for (const [, target = ''] of text.matchAll(LOADED_LATER)) graph.later.add(target);
  for (const target of importsOf({ path, text })) {
    const file = target.replace(/^src\//, 'dist/');
    if (existsSync(join(ROOT, file))) visit(file, graph);
    else graph.packages.add(target);
  }
  return graph;
}

test('the compiled client is loaded without Node.js, and without any package', () => {
  const { files, packages, later } = visit(ENTRY, {
    files: new Set(),
    packages: new Set(),
    later: new Set(),
  });
  const folders = new Set([...files].map((path) => path.split('/').slice(0, 2).join('/')));

  expect(files.size).toBeGreaterThan(20);
  expect([...folders].sort()).toEqual(['dist/client', 'dist/protocol']);
  expect([...packages]).toEqual([]);
  expect([...later].sort()).toEqual(['socket.io-client', 'ws']);
});

inBrowser('the compiled client', (scene) => {
  test(
    'chats in a browser, and reconnects',
    async () => {
      const page = await open(scene.context, scene.server.url);
      const rob = await scene.client();
      await rob.ok('room.join', { room: ROOM });
      await page.evaluate(`chat.send({ room: '${ROOM}', text: 'from a browser' })`);
      await rob.event('message.created', ({ message }) => message.text === 'from a browser');
      await page.evaluate(`socket.close(); chat.send({ room: '${ROOM}', text: 'and again' })`);
      await rob.event('message.created', ({ message }) => message.text === 'and again');
      await rob.ok('message.send', { room: ROOM, text: 'bye' });
      await page.waitForFunction(`seen.at(-1) === 'bye'`);

      expect(await page.evaluate('seen')).toEqual(['from a browser', 'and again', 'bye']);
      expect(await page.evaluate('statuses')).toEqual(['open', 'waiting', 'connecting', 'open']);
      await rob.close();
    },
    TEST_MS,
  );
});

/** Opens a page of the server, which joins a room by the client. */
async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.route('**/compiled/**', async (route) => {
    const path = new URL(route.request().url()).pathname.replace('/compiled/', 'dist/');
    await route.fulfill({ contentType: 'text/javascript', body: read(path) });
  });
  // Not a page of ours: those have a policy against such scripts.
  await page.goto(`${url}/healthz`);
  const imports = { '#src/protocol/': '/compiled/protocol/' };
  await page.addScriptTag({ type: 'importmap', content: JSON.stringify({ imports }) });
  await page.addScriptTag({ type: 'module', content: PROGRAM });
  await page.waitForFunction('globalThis.cut !== undefined');
  return page;
}

const PROGRAM = `
  import { connect } from '/compiled/client/index.js';

  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      globalThis.socket = this;
    }
  };
  globalThis.chat = connect({ url: location.origin });
  globalThis.seen = [];
  globalThis.statuses = [];
  chat.on('message.created', ({ message }) => seen.push(message.text));
  chat.on('status', ({ name }) => statuses.push(name));
  globalThis.cut = await chat.call('room.join', { room: '${ROOM}' });
`;
