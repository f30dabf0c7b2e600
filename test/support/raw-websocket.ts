import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { WebSocket, type ClientOptions } from 'ws';

import { TestClient } from './client.js';

/** A WebSocket whose client does nothing by itself, to be as ill-behaved as a test needs. */
export interface RawWebSocket {
  /** Collects what comes: frames of the protocol, or texts as they are. */
  readonly client: TestClient;
  readonly socket: WebSocket;
  /** Pings that have come. */
  pings(): number;
  /** Writes bytes below the WebSocket. */
  write(bytes: Buffer): void;
}

/** How a raw WebSocket is opened. */
export interface RawOptions extends ClientOptions {
  readonly subprotocols?: string[];
  /** Gives texts as they are instead of frames. */
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

/** A WebSocket frame as RFC 6455 has it, or not quite. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Buffer;
  readonly fin?: boolean;
  readonly rsv1?: boolean;
  readonly masked?: boolean;
}

/** Makes the bytes of a small WebSocket frame of a client. */
export function rawFrame({ opcode, payload, fin, rsv1, masked }: RawFrame): Buffer {
  const data = payload ?? Buffer.alloc(0);
  if (data.length > 125) throw new Error('Give a payload of at most 125 bytes.');
  const first = (fin === false ? 0 : 0x80) | (rsv1 === true ? 0x40 : 0) | opcode;
  if (masked === false) return Buffer.concat([Buffer.from([first, data.length]), data]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([first, 0x80 | data.length, 0, 0, 0, 0]), data]);
}

/** What the server answers to an attempt to upgrade. */
export interface UpgradeAnswer {
  /** 101 if it agreed. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The headers of an upgrade as a browser sends them. */
function upgradeHeaders(): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
  };
}

/** Reads the refusal of an upgrade to its end, without ending the connection from this side. */
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

/** Tries to upgrade to WebSocket, and drops the connection as soon as it is answered. */
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
