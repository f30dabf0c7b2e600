import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { get } from 'node:http';

import { WebSocket } from 'ws';

import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { openForeignPort } from '../support/foreign-port.js';
import { range } from './reading.js';
import { verifies } from './suite.js';

const ADDRESS = '203.0.113.7';

/** Opens TCP connections; the returned set holds those that the server has not closed. */
async function openAll(port: number, count: number): Promise<Set<Socket>> {
  const open = new Set<Socket>();
  await Promise.all(
    range(1, count).map(async () => {
      const socket = connect(port, '127.0.0.1');
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => open.delete(socket));
      socket.resume();
      await once(socket, 'connect');
    }),
  );
  return open;
}

verifies(
  'P-9.11',
  'closes TCP connections that are idle or send headers byte by byte',
  async ({ server }) => {
    const open = await openAll(server?.port ?? 0, 200);
    const [slow] = open;
    slow?.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => slow?.write('x'), 10);

    await eventually(() => open.size === 0, 'the end of all connections').finally(() =>
      clearInterval(drip),
    );
  },
  { only: ['websocket'], settings: { PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '300' } },
);

verifies(
  'P-9.11',
  'limits the TCP connections of an address before any request',
  async ({ server }) => {
    assert(server !== undefined);
    const remote = await openForeignPort(server, ADDRESS);
    const proxy = await openForeignPort(server, '203.0.113.9');

    const open = await openAll(remote.port, 50);
    const proxied = await openAll(proxy.port, 50);
    await eventually(() => open.size <= 8, 'the end of those beyond the limit');
    const page = get({ port: proxy.port, path: '/healthz' });
    const [answer] = (await once(page, 'response')) as [IncomingMessage];

    assert.equal(open.size, 8);
    assert.equal(proxied.size, 50, 'all clients of a trusted proxy have its address');
    assert.equal(answer.statusCode, 200);
    for (const socket of open) socket.destroy();
    for (const socket of proxied) socket.destroy();
    await remote.close();
    await proxy.close();
  },
  {
    only: ['websocket'],
    settings: {
      PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
      PARLANCE_TRUST_PROXY: 'loopback,203.0.113.9',
    },
  },
);

verifies(
  'P-9.11',
  'sends bye to few refused WebSockets at a time, of 100, and ends the others at once',
  async ({ server }) => {
    const url = `ws://127.0.0.1:${String(server?.port)}/ws`;
    const options = { headers: { 'X-Forwarded-For': ADDRESS }, autoPong: false };
    const ends = await Promise.all(
      range(1, 100).map(async () => {
        const socket = new WebSocket(url, options);
        const isOpen = await new Promise<boolean>((resolve) => {
          socket.on('open', () => {
            // The client does not answer the close frame.
            socket.pause();
            resolve(true);
          });
          socket.on('error', () => resolve(false));
        });
        return { socket, isOpen };
      }),
    );

    const opened = ends.filter(({ isOpen }) => isOpen);
    assert(opened.length >= 4 && opened.length < 50, `${String(opened.length)} have opened`);
    for (const { socket } of ends) socket.terminate();
  },
  {
    only: ['websocket'],
    settings: {
      PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
      PARLANCE_TRUST_PROXY: 'loopback',
    },
  },
);

verifies(
  'P-10.2',
  'answers a plain GET on /ws with 426, and tells the operator that a proxy drops Upgrade',
  async ({ server }) => {
    const url = `${server?.url ?? ''}/ws`;
    const dropped = {
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
    };

    let plain: Response | undefined;
    const logged = await captureErrorLog(async () => {
      plain = await fetch(url);
      for (const headers of [dropped, dropped])
        assert.equal((await fetch(url, { headers })).status, 426);
    });

    assert.equal(plain?.status, 426);
    assert.equal(plain.headers.get('upgrade'), 'websocket');
    assert.match(await plain.text(), /^Connect by WebSocket: .*\n$/);
    assert.equal(logged.length, 1);
    assert.match(JSON.stringify(logged), /Upgrade.*advice.*pass on the headers Upgrade/);
  },
  { only: ['websocket'], settings: {} },
);
