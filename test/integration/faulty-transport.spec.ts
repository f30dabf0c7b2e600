import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

import { OpenConnections } from '#src/chat/open-connections.js';

import { OPEN, type Open } from '../conformance/transports.js';
import { TestClient } from '../support/client.js';
import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import {
  FAULTY_PATH,
  FaultyTransport,
  type Fault,
  type FaultyLink,
} from '../support/faulty.transport.js';
import { startServer, type TestServer } from '../support/server.js';

const ROOM = 'faults';

let server: TestServer;
let transport: FaultyTransport;
let clients: TestClient[];

beforeEach(async () => {
  transport = new FaultyTransport();
  server = await startServer({}, { transports: [transport] });
  clients = [];
  for (const [name, open] of Object.entries<Open>(OPEN)) clients.push(await join(name, open));
});

afterEach(async () => {
  for (const client of clients) await client.close();
  await server.dispose();
});

async function join(name: string, open: Open): Promise<TestClient> {
  const client = await TestClient.connect((listener) => open(server, listener));
  await client.ok('hello', { protocol: 1, name });
  await client.ok('room.join', { room: ROOM, create: true });
  return client;
}

/** Joins the room over the faulty transport. */
async function joinFaulty(): Promise<FaultyLink> {
  const link = transport.connect();
  await link.call('hello', { protocol: 1, name: 'faulty' });
  const { ok } = await link.call('room.join', { room: ROOM });
  assert(ok);
  return link;
}

/** Checks that the other clients still chat, and that the failed connection is gone. */
async function checkTheOthers(): Promise<void> {
  const open = () => [...server.app.get(OpenConnections).all()].length;
  await eventually(() => open() === clients.length, 'the end of the connection that failed');
  for (const client of clients) {
    const { message } = await client.ok('message.send', { room: ROOM, text: 'and on' });
    for (const other of clients) {
      await other.event('message.created', (event) => event.message.id === message.id);
    }
  }
}

test.each<[Fault, string]>([
  ['prepare', 'message.created'],
  ['prepare', 'typing'],
  ['prepare', 'presence'],
  ['push', 'message.created'],
  ['push', 'typing'],
  ['push', 'presence'],
])('a transport that fails in %s at %s loses only that connection', async (fault, event) => {
  const [ann, bob] = clients as [TestClient, TestClient];
  const faulty = [await joinFaulty(), await joinFaulty()];

  const logged = await captureErrorLog(async () => {
    for (const link of faulty) {
      link.injectFault(fault, event);
      link.events.length = 0;
    }
    await ann.ok('message.send', { room: ROOM, text: 'hi' });
    await bob.ok('typing.set', { room: ROOM, active: true });
    await ann.event('typing');
    const cem = await join('cem', OPEN['in-memory']);
    clients.push(cem);
    const { id } = cem.welcome.user;
    await ann.event('presence', ({ online }) => online?.includes(id) ?? false);
    await checkTheOthers();
  });

  for (const { closedAs, events } of faulty) {
    assert.equal(closedAs, 4204);
    assert.equal(events.at(-1), 'bye');
    assert(!events.includes(event));
  }
  assert.equal(logged.length, faulty.length);
});

test.each<Fault>(['bufferedBytes', 'reply', 'resume'])(
  'a transport that fails in %s loses only that connection',
  async (fault) => {
    const link = await joinFaulty();

    await captureErrorLog(async () => {
      link.injectFault(fault);
      void link.call('message.send', { room: ROOM, text: 'hi' });
      await checkTheOthers();
    });

    assert.equal(link.closedAs, 4204);
  },
);

test('a connection whose close fails is removed', async () => {
  const link = await joinFaulty();

  const logged = await captureErrorLog(async () => {
    for (const fault of ['push', 'close'] as const) link.injectFault(fault);
    await clients[0]?.ok('message.send', { room: ROOM, text: 'hi' });
    await checkTheOthers();
    link.sink?.closed(1006, 'late');
    await checkTheOthers();
  });

  assert(logged.length > 0);
});

test('a transport that throws on a request or an upgrade loses only that request', async () => {
  const logged = await captureErrorLog(async () => {
    await assert.rejects(fetch(server.url + FAULTY_PATH));
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `GET ${FAULTY_PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\n\r\n',
    );
    await once(socket, 'close');
  });

  assert.equal(logged.length, 2);
  assert.match(JSON.stringify(logged), /The handler of a request failed/);
  await checkTheOthers();
});
