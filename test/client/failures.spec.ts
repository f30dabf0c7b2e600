import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

import type { ChatOptions, ConnectionError } from '../../client/index.js';
import { ReverseProxy, type Answer, type ProxyOptions } from '../support/reverse-proxy.js';
import { startServer, type TestServer } from '../support/server.js';
import { WatchedChat } from './watched-chat.js';

const TRANSPORTS = ['websocket', 'socket.io'] as const;
/** Longer than any wait that succeeds; a wait that fails takes all of it. */
const SHORT_MS = 300;

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Returns the error of a client that is waiting to reconnect. */
async function failureOf(options: ChatOptions): Promise<ConnectionError | undefined> {
  const watched = new WatchedChat(options);
  opened.push(watched.chat);
  return (await watched.untilStatus('waiting')).error;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function front(target: string, options: ProxyOptions): Promise<ReverseProxy> {
  const proxy = await ReverseProxy.start(target, options);
  opened.push(proxy);
  return proxy;
}

/** A WebSocket server of another protocol. */
async function otherWebSocket(onConnection: (socket: WebSocket) => void): Promise<{ url: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', onConnection);
  opened.push(server);
  await once(server, 'listening');
  return { url: `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}` };
}

/** A TCP server that does not speak the protocol. */
const nothing = (answer: Answer) => front('http://127.0.0.1', { answer, upgrades: false });

/** Answers every request in the same way. */
const always =
  (status: number, body = '<h1>Something else</h1>', headers = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
    return true;
  };

describe.each(TRANSPORTS)('over %s, a client reports why there is no connection', (transport) => {
  test('nothing listens at the address', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}`;

    const error = await failureOf({ url, transport });

    expect(error).toMatchObject({ name: 'ConnectionError', code: 'unreachable' });
    expect(error?.message).toMatch(/^Nothing answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Check/);
  });

  test('the host is not found', async () => {
    const error = await failureOf({ url: 'wss://nobody.invalid/ws', transport });

    expect(error?.code).toBe('host_not_found');
    expect(error?.message).toContain('nobody.invalid');
  });

  test('the server does not speak TLS', async () => {
    const { host } = await nothing(always(200));

    expect(await failureOf({ url: `wss://${host}`, transport })).toMatchObject({
      code: 'tls_failed',
    });
  });

  test.each([
    ['404 and HTML', always(404)],
    ['200 and the page of another site', always(200)],
    ['426 of another WebSocket server', always(426, 'Upgrade Required')],
    ['JSON of another API', always(400, '{"error":{"code":"bad"}}')],
  ])('the path is wrong: %s', async (_, answer) => {
    const { host } = await nothing(answer);

    const error = await failureOf({ url: `http://${host}/chat`, transport });

    expect(error?.code).toBe('wrong_address');
    expect(error?.message).toContain(`http://${host}/chat/ answers HTTP `);
  });

  test('the address redirects', async () => {
    const moved = always(301, '', { location: 'https://chat.example.org/' });
    const { host } = await nothing(moved);

    const error = await failureOf({ url: `http://${host}`, transport });

    expect(error?.code).toBe('wrong_address');
    expect(error?.message).toContain('redirects to https://chat.example.org/');
  });

  test.each([502, 503, 504])('the proxy cannot reach the server: %i', async (status) => {
    const { host } = await nothing(always(status));

    const error = await failureOf({ url: `http://${host}`, transport });

    expect(error?.code).toBe('unreachable');
    expect(error?.message).toContain('the proxy cannot reach the server');
  });
});

describe('a server that accepts the connection but is not a Parlance server', () => {
  test('says nothing', async () => {
    const { url } = await otherWebSocket(() => undefined);

    const error = await failureOf({ url, connectTimeoutMs: SHORT_MS });

    expect(error?.code).toBe('no_welcome');
    expect(error?.message).toMatch(/^The connection opened, but no welcome arrived within 0\.3 s/);
  });

  test('closes', async () => {
    const { url } = await otherWebSocket((socket) => socket.close(1003, 'no JSON here'));

    const error = await failureOf({ url });

    expect(error?.code).toBe('no_welcome');
    expect(error?.message).toContain('(1003: no JSON here)');
  });

  test('accepts connections and never answers', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const sockets: { destroy(): void }[] = [];
    mute.on('connection', (socket) => sockets.push(socket));
    opened.push(
      { close: () => mute.close() },
      { close: () => sockets.map((one) => one.destroy()) },
    );
    const url = `ws://127.0.0.1:${String((mute.address() as AddressInfo).port)}`;

    const error = await failureOf({ url, connectTimeoutMs: SHORT_MS });

    expect(error?.code).toBe('unreachable');
  });
});

describe('with a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.dispose());

  test('a refusal with 403 names the setting that allows the origin', async () => {
    const extraHeaders = { Origin: 'https://evil.example' };

    for (const transports of [['polling'], ['websocket']]) {
      const socketIo = { extraHeaders, transports };
      const error = await failureOf({ url: server.url, transport: 'socket.io', socketIo });

      expect(error?.code).toBe('origin_refused');
      expect(error?.message).toContain('PARLANCE_ORIGINS');
    }
  });

  test('a proxy that drops the upgrade is distinguished from a wrong address', async () => {
    const { host } = await front(server.url, { upgrades: false });

    const error = await failureOf({ url: `ws://${host}/ws` });

    expect(error?.code).toBe('no_upgrade');
    expect(error?.message).toContain('Upgrade, Connection and Host');
  });

  test('a file that nginx refuses with 413 is too large for the proxy', async () => {
    const refuse: Answer = (request, response) =>
      request.method === 'POST' &&
      always(413, '<h1>413 Request Entity Too Large</h1>')(request, response);
    const { host } = await front(server.url, { answer: refuse });
    const { chat } = watch({ url: `http://${host}` });

    await expect(chat.upload(new Blob(['x']))).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('client_max_body_size') as string,
    });
  });

  test.each([
    ['404', 404, 'wrong_address'],
    ['502', 502, 'unreachable'],
    ['200 and HTML', 200, 'wrong_address'],
  ])('an upload that is answered by %s says so', async (_, status, code) => {
    const refuse: Answer = (request, response) =>
      request.method === 'POST' && always(status)(request, response);
    const { host } = await front(server.url, { answer: refuse });
    const { chat } = watch({ url: `http://${host}` });

    await expect(chat.upload(new Blob(['x']))).rejects.toMatchObject({ code });
  });

  test('the end of the client has its own event', async () => {
    const watched = watch({ url: server.url, token: 'stale' });
    const ended = new Promise((resolve) => watched.chat.on('closed', resolve));

    expect(await ended).toMatchObject({ error: { code: 'token_refused' } });
  });
});

describe('a time limit', () => {
  test('ends a call, with the reason why there is no connection', async () => {
    const port = await freePort();
    const { chat } = watch({ url: `ws://127.0.0.1:${String(port)}`, timeoutMs: SHORT_MS });

    const late = await chat.call('room.list').catch((error: unknown) => error);

    expect(late).toMatchObject({ code: 'timeout', wasSent: false, cause: { code: 'unreachable' } });
    expect((late as Error).message).toMatch(
      /^room\.list had no answer within 0\.3 s\. Nothing answers at 127/,
    );
  });

  test('fails every waiting message, each with its cid', async () => {
    const port = await freePort();
    const { chat } = watch({ url: `ws://127.0.0.1:${String(port)}`, timeoutMs: SHORT_MS });
    const texts = ['one', 'two', 'three'];

    const began = performance.now();
    const ends = await Promise.allSettled(
      texts.map((text) => chat.send({ room: 'general', text, cid: text })),
    );

    const errors = ends.map((end) => (end as PromiseRejectedResult).reason as ConnectionError);
    expect(errors.map(({ code, cid }) => ({ code, cid }))).toEqual(
      texts.map((cid) => ({ code: 'timeout', cid })),
    );
    expect(performance.now() - began).toBeLessThan(texts.length * SHORT_MS * 10);
  });

  test('ends ready(), and a call can have its own', async () => {
    const port = await freePort();
    const { chat } = watch({ url: `ws://127.0.0.1:${String(port)}` });

    await expect(chat.ready({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(chat.call('room.list', {}, { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await expect(chat.upload(new Blob(['x']), 'x', { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });
});

function watch(options: ChatOptions): WatchedChat {
  const watched = new WatchedChat(options);
  opened.push(watched.chat);
  return watched;
}
