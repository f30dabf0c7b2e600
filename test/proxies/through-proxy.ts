import { once } from 'node:events';
import { request as ask, type IncomingMessage, type Server } from 'node:http';

import type { Browser } from 'playwright-core';

import { hasChromium, launchChromium } from '../browser/chromium.js';
import { Tab } from '../browser/tab.js';
import { ALL_CARRIERS, CARRIERS } from '../client/scene.js';
import { WatchedChat } from '../client/watched-chat.js';
import { openRaw } from '../support/raw-websocket.js';
import { startServer, type TestServer } from '../support/server.js';
import { bearer, read, request, uploaded } from '../support/uploads.js';
import type { ProxiedSites } from './proxied-sites.js';

/** Exceeds the default limit of nginx, 1 MiB. */
const LARGE = Buffer.alloc(3 * 2 ** 20, 'a large file ');
const SETTINGS = { PARLANCE_TRUST_PROXY: 'loopback' };
const ROOM = 'general';
const START_MS = 60_000;
const ARRIVAL_MS = 15_000;
const HELLO = { protocol: 1, name: 'ann' } as const;

/** A proxy and the server behind it. */
export interface Behind<Sites extends ProxiedSites> {
  sites: Sites;
  server: TestServer;
}

/** Declares the tests of a proxy that is configured as in its example. */
export function worksThrough<Sites extends ProxiedSites>(
  start: (port: number) => Promise<Sites>,
): Behind<Sites> {
  const behind = {} as Behind<Sites>;

  beforeAll(async () => {
    behind.server = await startServer(SETTINGS);
    behind.sites = await start(behind.server.port);
  }, START_MS);

  afterAll(async () => {
    // A failed start leaves nothing to stop.
    await (behind.sites as Sites | undefined)?.stop();
    await behind.server.dispose();
  });

  describe.each(['root', 'subPath'] as const)('at %s', (site) => {
    test.each(ALL_CARRIERS)('the SDK chats and passes a large file over %s', async (carrier) => {
      const options = { url: behind.sites[site], ...CARRIERS[carrier] };
      const ann = new WatchedChat(options);
      const rob = new WatchedChat(options);
      await ann.chat.call('room.join', { room: ROOM });
      const { seq } = await rob.chat.call('room.join', { room: ROOM });

      const { id } = await ann.chat.upload(new Blob([LARGE]), 'large.txt');
      const sent = await ann.chat.send({ room: ROOM, text: carrier, files: [id] });
      await rob.untilEvent(ROOM, seq + 1);
      const [file = { url: '' }] = sent.message.attachments ?? [];
      const blob = await rob.chat.download(file);

      expect(Buffer.from(await blob.arrayBuffer()).equals(LARGE)).toBe(true);
      await Promise.all([ann.chat.close(), rob.chat.close()]);
    });

    test('a raw WebSocket gets a session and reads a range of its file', async () => {
      const url = behind.sites[site];
      const { client } = await openRaw(`${url.replace('http', 'ws')}/ws`, {
        origin: originOf(url),
      });
      await client.ok('hello', HELLO);
      const { url: path } = await uploaded(url, client, LARGE, { name: 'large.txt' });
      const headers = { ...bearer(client), range: 'bytes=2000000-2000009' };

      const part = await request(url + path, { headers });
      const whole = await read(url, path, client);

      expect(part.status).toBe(206);
      expect(part.bytes.equals(LARGE.subarray(2_000_000, 2_000_010))).toBe(true);
      expect(whole.bytes.equals(LARGE)).toBe(true);
      await client.close();
    });
  });

  test('a raw WebSocket gets a session over TLS', async () => {
    const { tls, certificate } = behind.sites;
    const arrived = nextHeaders(behind.server, 'upgrade');
    const url = `${tls.replace('http', 'ws')}/ws`;
    const { client } = await openRaw(url, { origin: tls, ca: certificate });

    expect(await client.ok('hello', HELLO)).toMatchObject({ protocol: 1 });
    expect(await arrived).toMatchObject({
      host: new URL(tls).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
    });
    await client.close();
  });

  test('an upload reaches the server before it is complete', async () => {
    const { root } = behind.sites;
    const { client } = await openRaw(`${root.replace('http', 'ws')}/ws`);
    await client.ok('hello', HELLO);
    const arrived = nextHeaders(behind.server, 'request');
    const headers = { ...bearer(client), 'content-length': LARGE.length };
    const upload = ask(`${root}/api/files?name=large.txt`, { method: 'POST', headers });

    upload.write(LARGE.subarray(0, LARGE.length / 2));
    expect(await arrived).toMatchObject({ 'content-length': String(LARGE.length) });
    upload.end(LARGE.subarray(LARGE.length / 2));

    const [answer] = (await once(upload, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(201);
    answer.resume();
    await client.close();
  });

  test('the path without a trailing slash redirects to the page and keeps the query', async () => {
    const { subPath } = behind.sites;

    const { url, status } = await fetch(`${subPath}?room=plans`);

    expect({ url, status }).toEqual({ url: `${subPath}/?room=plans`, status: 200 });
  });

  (hasChromium ? describe : describe.skip)('in a browser', () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await launchChromium();
    }, START_MS);
    afterAll(() => browser.close());

    test(
      'pages at the root, under the path, and over TLS chat with each other',
      async () => {
        const { root, subPath, tls } = behind.sites;
        const urls = [`${root}/`, subPath, `${tls}/`];
        const tabs: Tab[] = [];
        for (const url of urls) {
          const context = await browser.newContext({ ignoreHTTPSErrors: true });
          tabs.push(await Tab.open(context, `${url}?room=browsers`));
        }
        for (const [i, tab] of tabs.entries()) {
          await tab.write(`from page ${String(i)}`);
          for (const other of tabs) await other.sees(`from page ${String(i)}`);
        }

        for (const tab of tabs) {
          expect(tab.consoleErrors).toEqual([]);
          expect(await tab.violations()).toEqual([]);
        }
      },
      START_MS,
    );
  });

  return behind;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

/** Returns the headers of the next request or upgrade that reaches the server. */
async function nextHeaders({ app }: TestServer, event: 'request' | 'upgrade') {
  const signal = AbortSignal.timeout(ARRIVAL_MS);
  const arrival = once(app.getHttpServer() as Server, event, { signal });
  const [{ headers }] = (await arrival) as [IncomingMessage];
  return headers;
}
