import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Controller, Get, Module } from '@nestjs/common';

import { makeScratchFolder } from '../support/scratch-folder.js';
import { startServer, type Extras, type TestServer } from '../support/server.js';

const JSON_TYPE = /^application\/json/;
const HTML_TYPE = /^text\/html/;

let server: TestServer;

afterEach(() => server.dispose());

async function start(env: Record<string, string> = {}, extras: Extras = {}): Promise<void> {
  server = await startServer(env, extras);
}

/** Asks for a path as it is; gives what matters of the answer. */
async function get(path: string) {
  const response = await fetch(server.url + path);
  const { status, headers } = response;
  const policy = headers.get('content-security-policy') ?? '';
  return { status, type: headers.get('content-type') ?? '', policy, text: await response.text() };
}

describe('a folder of pages', () => {
  let scratch: string;
  let folder: string;

  afterEach(() => rm(scratch, { recursive: true }));

  beforeEach(async () => {
    scratch = await makeScratchFolder();
    folder = join(scratch, 'pages');
    await mkdir(join(folder, 'more', '.git'), { recursive: true });
    await writeFile(join(scratch, 'outside.html'), 'outside');
    await writeFile(join(folder, 'index.html'), 'the first page');
    await writeFile(join(folder, '.secret'), 'a secret');
    await writeFile(join(folder, 'more', 'page.html'), 'one more page');
    await writeFile(join(folder, 'more', '.git', 'config'), 'a secret');
  });

  test('is served instead of the page, with a policy of its own', async () => {
    await start({ PARLANCE_PAGES_DIR: folder });

    const first = await get('/');
    const more = await get('/more/page.html');

    expect(first).toMatchObject({ status: 200, text: 'the first page' });
    expect(first.policy).toContain("script-src 'self' 'unsafe-inline'");
    expect(first.policy).toContain("default-src 'self'");
    expect(more).toMatchObject({ status: 200, text: 'one more page', policy: first.policy });
    expect((await get('/chat.js')).status).toBe(404);
  });

  test('has the policy that is set', async () => {
    const policy = "default-src 'self' https://cdn.example";
    await start({ PARLANCE_PAGES_DIR: folder, PARLANCE_PAGES_CSP: policy });

    expect(await get('/')).toMatchObject({ status: 200, policy });
    expect((await get('/docs/protocol.md')).policy).toContain("default-src 'none'");
  });

  test.each([
    '/.secret',
    '/more/.git/config',
    '/more/',
    '/..%2foutside.html',
    '/more/..%2f..%2foutside.html',
    '/%2e%2e%2foutside.html',
    '/..%5coutside.html',
    '/index.html%00',
  ])('keeps %s to itself', async (path) => {
    await start({ PARLANCE_PAGES_DIR: folder });

    const { status, text } = await get(path);

    expect([400, 403, 404]).toContain(status);
    expect(text).not.toMatch(/secret$|^outside|page\.html/);
  });

  test('leaves everything else where it was', async () => {
    await start({ PARLANCE_PAGES_DIR: folder });

    expect(await get('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await get('/docs/protocol.md')).text).toMatch(/^# /);
    expect((await get('/socket.io/socket.io.js')).text).toContain('Socket.IO');
  });
});

describe('the dialect realtime-chat', () => {
  test('answers over HTTP as that program did', async () => {
    await start();

    const hello = await get('/hello');
    const unknown = await get('/no/such/page');

    expect(hello).toMatchObject({ status: 200, text: 'Hello World' });
    expect(hello.type).toMatch(HTML_TYPE);
    expect(unknown.status).toBe(404);
    expect(unknown.type).toMatch(HTML_TYPE);
    expect(unknown.text).toMatch(/<h1>Not found<\/h1>/);
    expect(unknown.text).not.toContain('such');
    expect(unknown.policy).toContain("default-src 'none'");
  });

  test.each(['/api', '/api/unknown', '/healthz/unknown'])('leaves %s to programs', async (path) => {
    await start();

    const { status, type } = await get(path);

    expect([status, JSON_TYPE.test(type)]).toEqual([404, true]);
  });

  test('goes after the routes of an embedding app', async () => {
    @Controller('hello')
    class OwnController {
      @Get()
      hello(): string {
        return 'our own hello';
      }
    }
    @Module({ controllers: [OwnController] })
    class OwnModule {}

    await start({}, { modules: [OwnModule] });

    expect(await get('/hello')).toMatchObject({ status: 200, text: 'our own hello' });
  });

  test('does nothing while it is off', async () => {
    await start({ PARLANCE_DIALECTS: 'livechat' });

    for (const path of ['/hello', '/no/such/page']) {
      const { status, type } = await get(path);
      expect([status, JSON_TYPE.test(type)]).toEqual([404, true]);
    }
  });
});
