import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { ChaosProxy } from '../support/chaos-proxy.js';
import { eventually } from '../support/eventually.js';

/** One end of a connection, with what it has received. */
class End {
  received = '';
  isClosed = false;

  constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (data: string) => (this.received += data));
    socket.on('error', () => undefined).once('close', () => (this.isClosed = true));
  }

  async receives(text: string): Promise<void> {
    await eventually(() => this.received === text, `${text} after ${this.received}`);
  }

  async closes(): Promise<void> {
    await eventually(() => this.isClosed, 'the end of the connection');
  }
}

let server: Server;
let proxy: ChaosProxy;
const accepted: End[] = [];

beforeEach(async () => {
  server = createServer((socket) => accepted.push(new End(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await ChaosProxy.start({ host: '127.0.0.1', port: portOf(server) });
});

afterEach(async () => {
  await proxy.close();
  for (const { socket } of accepted.splice(0)) socket.destroy();
  server.close();
});

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

async function open(): Promise<{ near: End; far: End }> {
  const before = accepted.length;
  const near = new End(connect(proxy.port, '127.0.0.1'));
  await eventually(() => accepted.length > before, 'a connection');
  return { near, far: accepted[before] as End };
}

test('breaks open connections and accepts new ones', async () => {
  const first = await open();
  proxy.disconnect();
  await first.near.closes();
  await first.far.closes();

  const { near, far } = await open();
  near.socket.write('a');
  await far.receives('a');
});

test('refuses new connections while open ones work', async () => {
  const { near, far } = await open();
  proxy.refuse();
  const refused = connect(proxy.port, '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  near.socket.write('a');
  await far.receives('a');
  await proxy.admit();
  await open();

  expect(error.code).toBe('ECONNREFUSED');
});

test('swallows one direction, with its end, until the connection is broken', async () => {
  const { near, far } = await open();
  proxy.swallow('to server');
  near.socket.write('lost');
  far.socket.write('a');
  await near.receives('a');
  proxy.restore();
  const other = await open();
  other.near.socket.write('b');
  await other.far.receives('b');
  near.socket.destroy();
  await near.closes();

  expect({ received: far.received, isClosed: far.isClosed }).toEqual({
    received: '',
    isClosed: false,
  });
  proxy.disconnect();
  await far.closes();
});

test('delays data and the end of a connection', async () => {
  const { near, far } = await open();
  proxy.delay(50);
  const sentAt = performance.now();
  near.socket.write('a');
  near.socket.write('b');
  near.socket.destroy();
  await far.receives('ab');
  await far.closes();

  expect(performance.now() - sentAt).toBeGreaterThan(49);
});

test('limits the rate, so that the sender has to wait', async () => {
  const { near, far } = await open();
  proxy.throttle(200_000, 'to client');
  const startedAt = performance.now();
  far.socket.write('x'.repeat(50_000));
  far.socket.write('y');
  await eventually(() => near.received.endsWith('y'), 'all data');

  expect(performance.now() - startedAt).toBeGreaterThan(249);
  const much = 100_000_000;
  far.socket.write('z'.repeat(much));
  await eventually(() => near.received.includes('z'), 'the first data');
  expect(far.socket.writableLength).toBeGreaterThan(much / 2);
});

test('breaks a connection after a number of bytes, which arrive', async () => {
  const { near, far } = await open();
  proxy.cutAfter(5, 'to server');
  near.socket.write('123');
  await far.receives('123');
  near.socket.write('4567');
  await far.closes();
  await near.closes();

  expect(far.received).toBe('12345');
});

test('connects to another server on request', async () => {
  const other = createServer((socket) => accepted.push(new End(socket)));
  await once(other.listen(0, '127.0.0.1'), 'listening');
  proxy.retarget(portOf(other));
  const { far } = await open();
  other.close();

  expect(far.socket.localPort).not.toBe(portOf(server));
  expect(proxy.outgoingPorts).toEqual([far.socket.remotePort]);
});
