import type { Channel, ChannelListener, Closed, Opening } from './channel.js';
import { openSocketIo } from './channels/socket-io.channel.js';
import { openWebSocket } from './channels/websocket.channel.js';
import { TestClient } from './client.js';

type Open = (port: number, listener: ChannelListener, opening?: Opening) => Promise<Channel>;

const http = (port: number) => `http://127.0.0.1:${String(port)}`;

const OPENERS = {
  websocket: (port, listener, opening) =>
    openWebSocket(`ws://127.0.0.1:${String(port)}/ws`, listener, opening),
  'socket.io websocket': (port, listener, opening) =>
    openSocketIo(http(port), ['websocket'], listener, opening),
  'socket.io polling': (port, listener, opening) =>
    openSocketIo(http(port), ['polling'], listener, opening),
} satisfies Record<string, Open>;

/** Name of a transport over a network. */
export type WireTransport = keyof typeof OPENERS;

/** All transports over a network. */
export const WIRE_TRANSPORTS = Object.keys(OPENERS) as WireTransport[];

/** Opens a channel; rejects also if the connection ends while it opens. */
export function openWire(
  transport: WireTransport,
  port: number,
  listener: ChannelListener,
  opening?: Opening,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const closed = (end: Closed) => {
      reject(new Error(`The connection ended before it was open: ${JSON.stringify(end)}`));
      listener.closed(end);
    };
    const watcher = { frame: (frame: unknown) => listener.frame(frame), closed };
    OPENERS[transport](port, watcher, opening).then(resolve, reject);
  });
}

/** Connects a test client and sends hello. */
export async function connectClient(
  transport: WireTransport,
  port: number,
  hello: Readonly<Record<string, unknown>>,
): Promise<TestClient> {
  const client = await TestClient.connect((listener) => openWire(transport, port, listener));
  await client.ok('hello', { protocol: 1, ...hello });
  return client;
}
