import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { policyFor } from '#src/http/external-sources.js';

import { captureErrorLog } from '../support/error-log.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { startServer, type TestServer } from '../support/server.js';

const JSON_TYPE = /^application\/json/;
const HTML_TYPE = /^text\/html/;

let server: TestServer;

afterEach(() => server.dispose());

async function start(env: Record<string, string> = {}): Promise<void> {
  server = await startServer(env);
}

/** Requests a path; returns the status, type, policy and text of the answer. */
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

  test('is served instead of the page, with its own policy', async () => {
    await start({ PARLANCE_PAGES_DIR: folder });

    const first = await get('/');
    const more = await get('/more/page.html');

    expect(first).toMatchObject({ status: 200, text: 'the first page' });
    expect(first.policy).toContain("script-src 'self' 'unsafe-inline'");
    expect(first.policy).toContain("default-src 'self'");
    expect(more).toMatchObject({ status: 200, text: 'one more page', policy: first.policy });
    expect((await get('/chat.js')).status).toBe(404);
  });

  test('does not follow symbolic links to the outside', async () => {
    await symlink(scratch, join(folder, 'up'));
    await symlink(join(scratch, 'outside.html'), join(folder, 'page.html'));
    await mkdir(join(folder, 'indexed'));
    await symlink(join(scratch, 'outside.html'), join(folder, 'indexed', 'index.html'));
    await symlink(join(folder, 'more'), join(folder, 'again'));
    await start({ PARLANCE_PAGES_DIR: folder });

    const outside = ['/page.html', '/up/outside.html', '/indexed/'];
    for (const path of [...outside, '/indexed', '/%75p/outside.html', '/more/../page.html']) {
      expect({ path, status: (await get(path)).status }).toEqual({ path, status: 404 });
    }
    expect(await get('/again/page.html')).toMatchObject({ status: 200, text: 'one more page' });
  });

  test('has the configured policy', async () => {
    const policy = "default-src 'self' https://cdn.example";
    await start({ PARLANCE_PAGES_DIR: folder, PARLANCE_PAGES_CSP: policy });

    expect(await get('/')).toMatchObject({ status: 200, policy });
    expect((await get('/docs/protocol.md')).policy).toContain("default-src 'none'");
  });

  test('whose pages load <script src="//cdnjs…"> causes one log line with the setting', async () => {
    const page = `<!-- <script src="//old.example/x.js"></script> -->
      <script src="//cdnjs.cloudflare.com/ajax/libs/socket.io/1.3.6/socket.io.min.js"></script>
      <link rel="stylesheet" href='https://fonts.example/a.css'><script src="/own.js"></script>
      <a href="https://elsewhere.example">`;
    await writeFile(join(folder, 'index.html'), page);
    await writeFile(join(folder, 'more', 'page.html'), page);
    const load = (): Promise<unknown[]> =>
      captureErrorLog(async () => {
        for (const path of ['/', '/more/page.html', '/']) await get(path);
      });
    await start({ PARLANCE_PAGES_DIR: folder });
    const logged = await load();

    const text = JSON.stringify(logged);
    expect(logged).toHaveLength(1);
    expect(text).toContain('loads from cdnjs.cloudflare.com, fonts.example');
    const [, policy = ''] = /PARLANCE_PAGES_CSP to: ([^"]*)"/.exec(text) ?? [];
    expect(policy).toContain("script-src 'self' 'unsafe-inline' cdnjs.cloudflare.com;");
    expect(policy).toContain("style-src 'self' 'unsafe-inline' fonts.example;");
    expect(policy).toContain("font-src 'self' fonts.example");
    expect(policyFor(policy, page)).toBeNull();
    await server.dispose();
    await start({ PARLANCE_PAGES_DIR: folder, PARLANCE_PAGES_CSP: policy });
    expect((await get('/')).policy).toBe(policy);
    expect(await load()).toEqual([]);
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
  ])('does not serve %s', async (path) => {
    await start({ PARLANCE_PAGES_DIR: folder });

    const { status, text } = await get(path);

    expect([400, 403, 404]).toContain(status);
    expect(text).not.toMatch(/secret$|^outside|page\.html/);
  });

  test('leaves all other paths unchanged', async () => {
    await start({ PARLANCE_PAGES_DIR: folder });

    expect(await get('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await get('/docs/protocol.md')).text).toMatch(/^# /);
    expect((await get('/socket.io/socket.io.js')).text).toContain('Socket.IO');
  });
});

describe('the dialect realtime-chat', () => {
  test('answers over HTTP like the original program', async () => {
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

  test.each(['/api', '/api/unknown', '/healthz/unknown'])('answers %s with JSON', async (path) => {
    await start();

    const { status, type } = await get(path);

    expect({ status, isJson: JSON_TYPE.test(type) }).toEqual({ status: 404, isJson: true });
  });

  test('answers nothing if it is disabled', async () => {
    await start({ PARLANCE_DIALECTS: 'livechat' });

    for (const path of ['/hello', '/no/such/page']) {
      const { status, type } = await get(path);
      expect({ status, isJson: JSON_TYPE.test(type) }).toEqual({ status: 404, isJson: true });
    }
  });
});
