import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { WebSocket, type ClientOptions } from 'ws';

import { TestClient } from './client.js';

/** A WebSocket without automatic behavior, for tests of clients that break rules. */
export interface RawWebSocket {
  /** Records what arrives: frames of the protocol, or plain texts. */
  readonly client: TestClient;
  readonly socket: WebSocket;
  /** Number of pings that have arrived. */
  pings(): number;
  /** Writes bytes to the TCP connection. */
  write(bytes: Buffer): void;
}

/** Options of a raw WebSocket. */
export interface RawOptions extends ClientOptions {
  readonly subprotocols?: string[];
  /** Records plain texts instead of frames. */
  readonly texts?: boolean;
}

/** Opens a WebSocket to any URL. */
export async function openRaw(url: string, options: RawOptions = {}): Promise<RawWebSocket> {
  const { subprotocols = [], texts = false, ...rest } = options;
  const socket = new WebSocket(url, subprotocols, { perMessageDeflate: false, ...rest });
  let pings = 0;
  socket.on('ping', () => pings++);
  const client = await TestClient.connect(async (listener) => {
    socket.on('message', (data) => {
      const text = (data as Buffer).toString();
      listener.frame(texts ? text : JSON.parse(text));
    });
    socket.on('close', (code, reason) => listener.closed({ code, reason: String(reason) }));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => undefined);
    return {
      send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
      close: () => socket.close(1000),
    };
  });
  return {
    client,
    socket,
    pings: () => pings,
    write: (bytes) => void (socket as unknown as { _socket: Duplex })._socket.write(bytes),
  };
}

/** A WebSocket frame (RFC 6455), valid or not. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Buffer;
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  readonly masked?: boolean;
}

/** Returns the bytes of a small WebSocket frame of a client. */
export function rawFrame({ opcode, payload, fin, rsv1, masked }: RawFrame): Buffer {
  const data = payload ?? Buffer.alloc(0);
  if (data.length > 125) throw new Error('The payload must have at most 125 bytes.');
  const first = (fin === false ? 0 : 0x80) | (rsv1 === true ? 0x40 : 0) | opcode;
  if (masked === false) return Buffer.concat([Buffer.from([first, data.length]), data]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([first, 0x80 | data.length, 0, 0, 0, 0]), data]);
}

/** The response to an upgrade request. */
export interface UpgradeAnswer {
  /** 101 if the server upgraded the connection. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Returns the headers of an upgrade request of a browser. */
function upgradeHeaders(): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  };
}

/** Requests an upgrade and reads the refusal to its end, without closing this side. */
export async function refusedUpgrade(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ answer: string; socket: Socket }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const lines = Object.entries({ Host: '127.0.0.1', ...upgradeHeaders(), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.write(`GET ${path} HTTP/1.1\r\n${head}\r\n`);
  await once(socket, 'end');
  return { answer, socket };
}

/** Requests an upgrade to WebSocket, and drops the connection after the response. */
export function tryUpgrade(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const attempt = request(url, {
      headers: { ...upgradeHeaders(), ...headers },
    });
    attempt.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers });
    });
    attempt.once('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    attempt.once('error', reject);
    attempt.end();
  });
}
