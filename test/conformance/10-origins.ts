import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { openForeignPort } from '../support/foreign-port.js';
import { refusedUpgrade, tryUpgrade } from '../support/raw-websocket.js';
import { verifies } from './suite.js';

// Each of these requirements uses several transports, so that running it once is enough.
const ONCE = { only: ['in-memory'], settings: {} };
const BEHIND_PROXY = { only: ['in-memory'], settings: { PARLANCE_TRUST_PROXY: 'loopback' } };
const HOST = 'chat.example.org';
const LISTED = 'https://app.example.org';
const OTHER_SCHEMES = [
  'capacitor://localhost',
  'ionic://localhost',
  'app://.',
  'tauri://localhost',
  'chrome-extension://aapocclcgogkmnckokdopfmhonfmgoek',
  'moz-extension://6f1d7b0e-1d5f-4b8e-9a55-0a1b2c3d4e5f',
];

/** Requests an upgrade on each path with or without an origin; returns the statuses. */
async function upgradeStatuses(
  { url }: { readonly url: string },
  origin?: string,
  host = HOST,
): Promise<number[]> {
  const headers = { host, ...(origin === undefined ? {} : { origin }) };
  const paths = ['/ws', '/socket.io/?EIO=4&transport=websocket'];
  const answers = paths.map((path) => tryUpgrade(`${url}${path}`, headers));
  return (await Promise.all(answers)).map(({ status }) => status);
}

verifies(
  'P-10.5',
  'accepts upgrades from pages of its own host and from programs',
  async ({ server }) => {
    assert(server !== undefined);
    for (const origin of [undefined, `https://${HOST}`, `http://${HOST}`]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [101, 101], origin);
    }
  },
  BEHIND_PROXY,
);

verifies(
  'P-10.5',
  'answers upgrades from other pages with 403',
  async ({ server }) => {
    assert(server !== undefined);
    const others = ['https://evil.example', `https://x.${HOST}`, `https://${HOST}:8443`, 'null'];
    const odd = [`foo://${HOST}`, `ftp://${HOST}`, `https:${HOST}`, 'nonsense', ''];
    for (const origin of [...others, `https://${HOST}.evil.example`, ...odd]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [403, 403], origin);
    }
  },
  BEHIND_PROXY,
);

verifies(
  'P-10.5',
  'compares Host and Origin without default ports, case and a final dot',
  async ({ server }) => {
    assert(server !== undefined);
    const same: [host: string, origin: string][] = [
      [`${HOST}:443`, `https://${HOST}`],
      [`${HOST}:80`, `http://${HOST}`],
      ['Chat.Example.ORG', `https://${HOST}`],
      [`${HOST}.`, `https://${HOST}`],
      [`${HOST}:8443`, `https://${HOST}:8443`],
      ['[2001:DB8:0::1]:3000', 'http://[2001:db8::1]:3000'],
    ];
    for (const [host, origin] of same) {
      assert.deepEqual(await upgradeStatuses(server, origin, host), [101, 101], host);
    }
    const other: [host: string, origin: string][] = [
      [`${HOST}:8443`, `https://${HOST}`],
      [HOST, `https://${HOST}:8443`],
      [`evil.example/@${HOST}`, `https://${HOST}`],
      [`evil.example#${HOST}`, 'https://evil.example'],
    ];
    for (const [host, origin] of other) {
      assert.deepEqual(await upgradeStatuses(server, origin, host), [403, 403], host);
    }
  },
  BEHIND_PROXY,
);

/** Connects with only a Host header in each way open to a page of that host. */
async function statusesByHost(url: string, host: string): Promise<number[]> {
  const upgrades = await upgradeStatuses({ url }, `http://${host}`, host);
  const requests = ['/socket.io/?EIO=4&transport=polling', '/api/files/1'].map((path) =>
    statusOf(`${url}${path}`, host),
  );
  return [...upgrades, ...(await Promise.all(requests))];
}

async function statusOf(url: string, host: string): Promise<number> {
  const sent = request(url, { headers: { host } }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}

const LET_IN = [101, 101, 200, 401];
const REFUSED = [403, 403, 403, 403];

verifies(
  'P-10.5',
  'refuses Host and Origin evil.example from this machine (DNS rebinding), and logs why',
  async ({ server }) => {
    assert(server !== undefined);
    const own = ['localhost:3000', 'app.localhost', '127.0.0.1', '[::1]:3000', hostname()];
    const foreign = [
      'evil.example',
      'evil.example:3000',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
    ];

    for (const host of own) {
      assert.deepEqual(await statusesByHost(server.url, host), LET_IN, host);
    }
    const logged = await captureErrorLog(async () => {
      for (const host of foreign) {
        assert.deepEqual(await statusesByHost(server.url, host), REFUSED, host);
      }
    });

    const lines = (logged as [{ host: string; advice: string }][]).map(([line]) => line);
    assert.deepEqual(
      lines.map(({ host }) => host),
      foreign,
    );
    assert.match(
      lines[0]?.advice ?? '',
      /PARLANCE_HOSTS=evil\.example; .*PARLANCE_TRUST_PROXY=loopback/,
    );
  },
  ONCE,
);

verifies(
  'P-10.5',
  'accepts any host from other machines and through a trusted proxy',
  async ({ server, start }) => {
    assert(server !== undefined);
    const remote = await openForeignPort(server, '203.0.113.7');
    const proxied = (await start({ PARLANCE_TRUST_PROXY: 'loopback' })).server;

    const statuses = await statusesByHost(`http://127.0.0.1:${String(remote.port)}`, HOST);
    await remote.close();

    assert.deepEqual(statuses, LET_IN);
    assert.deepEqual(await statusesByHost(proxied?.url ?? '', HOST), LET_IN);
  },
  ONCE,
);

verifies(
  'P-10.5',
  'accepts only the hosts of PARLANCE_HOSTS and PARLANCE_ORIGINS when they are set',
  async ({ server }) => {
    assert(server !== undefined);
    const remote = await openForeignPort(server, '203.0.113.7');
    const urls = [server.url, `http://127.0.0.1:${String(remote.port)}`];
    for (const url of urls) {
      for (const host of [HOST, `${HOST}:8443`, 'app.example.org', '192.0.2.1', 'localhost']) {
        assert.deepEqual(await statusesByHost(url, host), LET_IN, host);
      }
      for (const host of ['evil.example', `x.${HOST}`]) {
        assert.deepEqual(await statusesByHost(url, host), REFUSED, host);
      }
    }
    await remote.close();
  },
  {
    only: ['in-memory'],
    settings: { PARLANCE_HOSTS: HOST, PARLANCE_ORIGINS: LISTED, PARLANCE_TRUST_PROXY: 'loopback' },
  },
);

verifies(
  'P-10.5',
  'accepts listed origins of any scheme, such as capacitor://localhost',
  async ({ server }) => {
    assert(server !== undefined);
    for (const origin of OTHER_SCHEMES) {
      assert.deepEqual(await upgradeStatuses(server, origin, 'localhost'), [101, 101], origin);
    }
    for (const origin of ['capacitor://127.0.0.1', 'foo://localhost', 'ionic://localhost:1']) {
      assert.deepEqual(await upgradeStatuses(server, origin, 'localhost'), [403, 403], origin);
    }
  },
  { only: ['in-memory'], settings: { PARLANCE_ORIGINS: OTHER_SCHEMES.join(',') } },
);

verifies(
  ['P-10.5', 'P-2.1'],
  'releases the socket of a refused upgrade',
  async ({ server }) => {
    assert(server !== undefined);
    const http = server.app.getHttpServer() as Server;
    const sockets = promisify(http.getConnections.bind(http));

    const answers = await Promise.all([
      refusedUpgrade(server.port, '/nowhere'),
      refusedUpgrade(server.port, '/ws', { origin: 'https://evil.example' }),
    ]);
    await eventually(async () => (await sockets()) === 0, 'the end of the sockets');

    assert.match(answers[0].answer, /^HTTP\/1\.1 404 [^]*There is no WebSocket at this path\.$/);
    assert.match(answers[1].answer, /^HTTP\/1\.1 403 [^]*may not connect\.$/);
    for (const { socket } of answers) socket.destroy();
  },
  ONCE,
);

verifies(
  'P-10.5',
  'accepts pages of its own host and of listed origins when there is a list',
  async ({ server }) => {
    assert(server !== undefined);
    for (const origin of [LISTED, `https://${HOST}`, `http://${HOST}`, undefined]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [101, 101], origin);
    }
    for (const origin of [
      `${LISTED}:8443`,
      'http://app.example.org',
      `https://x.${HOST}`,
      'null',
    ]) {
      assert.deepEqual(await upgradeStatuses(server, origin), [403, 403], origin);
    }
  },
  {
    only: ['in-memory'],
    settings: { PARLANCE_ORIGINS: LISTED, PARLANCE_TRUST_PROXY: 'loopback' },
  },
);
