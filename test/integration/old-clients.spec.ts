import { createRequire } from 'node:module';

import type { Outcome } from '#src/protocol/frames.js';

import { startServer, type TestServer } from '../support/server.js';

const VERSIONS = ['2.2.0', '3.1.1', '4.0.1'];
const WAYS = [['polling'], ['websocket'], ['polling', 'websocket']];
const CASES = VERSIONS.flatMap((version) => WAYS.map((transports) => ({ version, transports })));
/** Clients of these versions give up on a connection earlier. */
const WAIT_MS = 20_000;

/** The members of Socket.IO clients in use; the oldest clients have no types. */
interface OldSocket {
  on(event: string, listener: (value: unknown) => void): void;
  emit(event: string, data: unknown, ack: (outcome: Outcome) => void): void;
  close(): void;
}
type OldClient = (url: string, options: object) => OldSocket;

const require = createRequire(import.meta.url);

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.dispose());

function ask(socket: OldSocket, command: string, data: object): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`Waited ${String(WAIT_MS)} ms in vain for the answer to ${command}`));
    }, WAIT_MS);
    // A client keeps what is emitted before it has connected.
    socket.emit(command, data, (outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    });
  });
}

test.each(CASES)(
  'Socket.IO $version connects over $transports',
  async ({ version, transports }) => {
    const io = require(`socket.io-client-${version}`) as OldClient;
    const socket = io(server.url, { transports, reconnection: false, forceNew: true });

    const welcome = await ask(socket, 'hello', { protocol: 1, name: 'Zoë 𐐀' });
    const joined = await ask(socket, 'room.join', { room: 'general' });
    const sent = await ask(socket, 'message.send', { room: 'general', text: 'naïve 😀 text' });
    socket.close();

    expect(welcome).toMatchObject({ ok: true, data: { user: { name: 'Zoë 𐐀' } } });
    expect(joined).toMatchObject({ ok: true });
    expect(sent).toMatchObject({ ok: true, data: { message: { text: 'naïve 😀 text' } } });
  },
);
