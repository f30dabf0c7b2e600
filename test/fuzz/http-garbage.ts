import { connect } from 'node:net';

import type { Random } from '../support/random.js';
import { mutateText } from './mutate.js';

const END_MS = 15_000;
const AT_ONCE = 16;
const POLLING = '/socket.io/?EIO=4&transport=polling';
const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';
const FORM = 'application/x-www-form-urlencoded';
const HOST = 'HTTP/1.1\r\nHost: 127.0.0.1\r\n';
const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const post = (path: string, body: string, type = 'text/plain;charset=UTF-8') =>
  `POST ${path} ${HOST}Content-Type: ${type}\r\n` +
  `Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
const get = (path: string, headers = '') => `GET ${path} ${HOST}${headers}\r\n`;

const REQUESTS: readonly string[] = [
  get(POLLING),
  get(`${POLLING}&sid=nobody`),
  get(`${POLLING}&sid=__proto__`),
  get(`${POLLING}&sid=constructor&sid=x`),
  get('/socket.io/?EIO=4&transport=__proto__'),
  get('/socket.io/?EIO=4&transport=webtransport'),
  get('/socket.io/?EIO=99&transport=polling'),
  get('/socket.io/?transport=polling'),
  get(`${POLLING}&j=0`),
  get(`${POLLING}&j=0;alert(1)`),
  get('/socket.io/?EIO=3&transport=polling&j=___eio[0](1)'),
  get('/socket.io/?EIO=4&transport=polling&b64=1'),
  get('/socket.io'),
  get('/socket.io/../../etc/passwd'),
  get('/socket.io/socket.io.js'),
  get('/socket.io/..%2f..%2fpackage.json.js'),
  get('/%00'),
  get('/%'),
  get('/docs/%2e%2e/%2e%2e/package.json'),
  get('//evil.example/..'),
  get('/ws'),
  get('/ws', UPGRADE),
  get('/ws?name=%E0%A4%A', UPGRADE),
  get('/ws?token=x&token=y', UPGRADE),
  get(`/ws?name=${'n'.repeat(5_000)}`, UPGRADE),
  get('/ws', UPGRADE.replace('13', '99')),
  get('/ws', UPGRADE.replace(/Sec-WebSocket-Key: .*\r\n/, '')),
  get('/ws', `Sec-WebSocket-Protocol: ,,;\u00e9\r\n${UPGRADE}`),
  get('/ws', `Sec-WebSocket-Extensions: permessage-deflate; x="${'y'.repeat(99)}\r\n${UPGRADE}`),
  get('/ws', `Origin: null\r\n${UPGRADE}`),
  get('/ws', `Authorization: Bearer ${'.'.repeat(3_000)}\r\n${UPGRADE}`),
  get('/nobody', UPGRADE),
  get('/', UPGRADE.replace('websocket', 'h2c')),
  get(SOCKET_IO, UPGRADE),
  get(`${SOCKET_IO}&sid=nobody`, UPGRADE),
  get('/socket.io/?EIO=3&transport=websocket', UPGRADE),
  post(POLLING, '40'),
  post(`${POLLING}&sid=nobody`, '40'),
  post(`${POLLING}&j=0`, `d=${'40%1e'.repeat(5_000)}`, FORM),
  post(`${POLLING}&j=0&sid=nobody`, 'd=40', FORM),
  post('/socket.io/?EIO=3&transport=polling&j=1', `d=${'2%3A40'.repeat(5_000)}`, FORM),
  post(POLLING, 'x'.repeat(70_000)),
  post('/socket.io/?EIO=3&transport=polling', '9999999999:x'),
  post('/socket.io/?EIO=3&transport=polling', '\u0000\u0001\u00ff', 'application/octet-stream'),
  post('/healthz', '{"__proto__":{"polluted":true}}', 'application/json'),
  `PUT ${POLLING} ${HOST}\r\n`,
  `OPTIONS ${POLLING} ${HOST}Origin: http://evil.example\r\n\r\n`,
  `TRACE / ${HOST}\r\n`,
  `GET ${POLLING} ${HOST}${'X-Filler: y\r\n'.repeat(3_000)}\r\n`,
  `POST ${POLLING} ${HOST}Transfer-Encoding: chunked\r\n\r\nffffffff\r\nx`,
  `POST ${POLLING} ${HOST}Content-Length: 99999999999\r\n\r\nx`,
  'GET / HTTP/9.9\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
];

/** Sends HTTP requests, half of them mutated; returns the faults of the server. */
export async function sendRequests(port: number, random: Random, count: number): Promise<string[]> {
  const problems: string[] = [];
  for (let done = 0; done < count && problems.length === 0; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => {
      const request = random.pick(REQUESTS);
      return sendOne(port, random.chance(0.5) ? mutateText(request, random) : request);
    });
    problems.push(...(await Promise.all(batch)).filter((problem) => problem !== null));
  }
  return problems;
}

/** Sends a request and half-closes the socket; the server must close the connection too. */
function sendOne(port: number, request: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const shown = JSON.stringify(request.slice(0, 200));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(`the connection stayed open after ${shown}`);
    }, END_MS);
    let answer = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(/^HTTP\/1\.1 500/.test(answer) ? `status 500 for ${shown}` : null);
    });
    socket.end(Buffer.from(request, 'latin1'));
  });
}
