import { openInMemory } from '../support/channels/in-memory.channel.js';
import { openSocketIo } from '../support/channels/socket-io.channel.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import type { Channel, ChannelListener, Opening } from '../support/channel.js';
import { TestClient } from '../support/client.js';
import { testDatabase, startServer, type TestServer } from '../support/server.js';
import type { TransportUnderTest } from './suite.js';

/** Opens a connection to a server in this process. */
export type Open = (
  server: TestServer,
  listener: ChannelListener,
  opening?: Opening,
) => Promise<Channel>;

/** Returns a transport under test whose servers run in this process. */
export function managedTransport(
  name: string,
  open: Open,
  cannot: Readonly<Record<string, string>> = {},
): TransportUnderTest {
  return {
    name,
    cannot,
    managed: true,
    database: testDatabase(),
    start: async (env) => {
      const server = await startServer(env);
      return {
        server,
        connect: (opening) => TestClient.connect((listener) => open(server, listener, opening)),
        dispose: () => server.dispose(),
      };
    },
  };
}

/** Returns a transport under test for a server that runs elsewhere. */
export function remoteWebSocket(url: string): TransportUnderTest {
  return {
    name: 'websocket',
    cannot: {},
    managed: false,
    start: () =>
      Promise.resolve({
        url: new URL(url.replace(/^ws/, 'http')).origin,
        connect: (opening) =>
          TestClient.connect((listener) => openWebSocket(url, listener, opening)),
        dispose: () => Promise.resolve(),
      }),
  };
}

const webSocketUrl = (server: TestServer) => `ws://127.0.0.1:${String(server.port)}/ws`;

/** Functions that open each transport of Parlance, by name. */
export const OPEN = {
  websocket: (server, listener, opening) => openWebSocket(webSocketUrl(server), listener, opening),
  'socket.io websocket': (server, listener, opening) =>
    openSocketIo(server.url, ['websocket'], listener, opening),
  'socket.io polling': (server, listener, opening) =>
    openSocketIo(server.url, ['polling'], listener, opening),
  'in-memory': (server, listener, opening) => openInMemory(server.inMemory, listener, opening),
} satisfies Record<string, Open>;
