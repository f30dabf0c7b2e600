import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

import type { Random } from '../support/random.js';

const OUTCOME_MS = 15_000;
const AT_ONCE = 16;
const HELLO = '{"id":"h","cmd":"hello","data":{"protocol":1}}';
const END = '{"id":"end","cmd":"session.ping"}';

interface FrameShape {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** Number of bytes that encode the length; absent: as few as possible. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** Length to declare; absent: the real one. */
  readonly length?: bigint;
}

function frame(opcode: number, payload: Buffer, shape: FrameShape = {}): Buffer {
  const { fin = true, rsv = 0, masked = true, length = BigInt(payload.length) } = shape;
  const { lengthBytes = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8 } = shape;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const short = lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127;
  const header = Buffer.alloc(2 + lengthBytes);
  header.writeUInt8(first, 0);
  header.writeUInt8((masked ? 0x80 : 0) | (short & 0x7f), 1);
  if (lengthBytes === 2) header.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  const hidden = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return Buffer.concat([header, mask, hidden]);
}

const text = (value: string, shape?: FrameShape) => frame(1, Buffer.from(value), shape);

/** Bytes to send on a WebSocket; `isViolation` if the server must close because of them. */
interface Sample {
  readonly bytes: Buffer;
  readonly isViolation: boolean;
}

type Maker = (random: Random) => Sample;

const violation = (...frames: Buffer[]): Sample => ({
  bytes: Buffer.concat(frames),
  isViolation: true,
});
const valid = (...frames: Buffer[]): Sample => ({
  bytes: Buffer.concat(frames),
  isViolation: false,
});

const BAD_UTF8 = ['c0af', 'eda080', 'f4908080', 'ff', '80', 'e28228', 'f0288cbc', '61c3'];
const BAD_CLOSE = ['03', '03e7', '03ec', '03ed', '03ee', '03f7', '0000', 'ffff', '03e8c3'];

const MAKERS: readonly Maker[] = [
  (random) => violation(frame(random.pick([3, 4, 5, 6, 7]), random.bytes(5))),
  (random) => violation(frame(random.pick([11, 12, 13, 14, 15]), random.bytes(5))),
  (random) => violation(text(END, { rsv: random.between(1, 7) })),
  () => violation(text(END, { masked: false })),
  (random) => violation(frame(1, Buffer.from(random.pick(BAD_UTF8), 'hex'))),
  (random) => violation(frame(2, random.bytes(20))),
  (random) => violation(frame(8, Buffer.from(random.pick(BAD_CLOSE), 'hex'))),
  () => violation(frame(9, Buffer.alloc(200))),
  () => violation(frame(9, Buffer.from('x'), { fin: false })),
  () => violation(frame(0, Buffer.from('a continuation of nothing'))),
  () => violation(text('{', { fin: false }), text('}')),
  () => violation(text('x', { lengthBytes: 8, length: 2n ** 63n })),
  () => violation(text('x', { lengthBytes: 8, length: 2n ** 40n })),
  () => violation(text(`"${'y'.repeat(70_000)}"`)),
  () =>
    violation(text('{', { fin: false }), ...Array.from({ length: 80 }, () => continuation(' '))),
  () => valid(text('{"cmd":', { fin: false }), frame(9, Buffer.from('p')), last('"x"}')),
  () => valid(text(END, { lengthBytes: 2 }), text(END, { lengthBytes: 8 })),
  () => valid(...Array.from({ length: 200 }, () => frame(9, Buffer.from('ping')))),
  () => valid(...Array.from({ length: 200 }, () => frame(10, Buffer.from('pong')))),
  () => valid(text('', { fin: false }), continuation(''), last(END)),
  (random) => valid(text(random.bytes(random.between(0, 200)).toString('latin1'))),
  (random) => ({ bytes: random.bytes(random.between(1, 300)), isViolation: false }),
];

const continuation = (value: string) => frame(0, Buffer.from(value), { fin: false });
const last = (value: string) => frame(0, Buffer.from(value));

/** Sends bytes on `count` WebSockets; returns the faults of the server. */
export async function sendBytes(port: number, random: Random, count: number): Promise<string[]> {
  const problems: string[] = [];
  for (let done = 0; done < count && problems.length === 0; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => sendOne(port, random.fork()));
    problems.push(...(await Promise.all(batch)).filter((problem) => problem !== null));
  }
  return problems;
}

async function sendOne(port: number, random: Random): Promise<string | null> {
  const { bytes, isViolation: mustClose } = random.pick(MAKERS)(random);
  const cut = random.chance(0.1) ? random.between(0, bytes.length) : bytes.length;
  const socket = await open(port);
  const outcome = watch(socket);
  socket.write(text(HELLO));
  const sent = Buffer.concat([bytes.subarray(0, cut), text(END)]);
  for (const part of split(sent, random)) socket.write(part);
  // After truncated bytes, the server may wait for more until the client disconnects.
  const isUnsure = cut < bytes.length || bytes.length < 300;
  if (isUnsure && !mustClose) socket.end();
  if (cut < bytes.length) socket.destroy();
  const how = await outcome;
  socket.destroy();
  const shown = bytes.subarray(0, 60).toString('hex');
  if (how === 'silence') return `neither an answer nor a close after ${shown}`;
  const isClosed = how === 'closed' || how === 'gone';
  return mustClose && cut === bytes.length && !isClosed ? `stayed open after ${shown}` : null;
}

function split(bytes: Buffer, random: Random): Buffer[] {
  if (random.chance(0.5)) return [bytes];
  const size = random.between(1, 64);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  await new Promise<void>((resolve) => {
    socket.once('data', () => resolve());
    socket.once('close', () => resolve());
  });
  return socket;
}

/** Waits for the reply to the last command, for a close frame, or for the end of the socket. */
function watch(socket: Socket): Promise<'answered' | 'closed' | 'gone' | 'silence'> {
  return new Promise((resolve) => {
    let read = Buffer.alloc(0);
    const timer = setTimeout(() => resolve('silence'), OUTCOME_MS);
    const settle = (how: 'answered' | 'closed' | 'gone') => {
      clearTimeout(timer);
      resolve(how);
    };
    socket.on('data', (data) => {
      read = Buffer.concat([read, data]);
      if (hasClose(read)) settle('closed');
      else if (read.includes('"re":"end"')) settle('answered');
    });
    if (socket.destroyed) settle('gone');
    else socket.once('close', () => settle('gone'));
  });
}

/** Returns whether the bytes contain a close frame; frames of the server are not masked. */
function hasClose(bytes: Buffer): boolean {
  for (let at = 0; at + 2 <= bytes.length;) {
    if (((bytes[at] as number) & 0x0f) === 8) return true;
    const short = (bytes[at + 1] as number) & 0x7f;
    const header = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + header > bytes.length) return false;
    const long = () => (short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6));
    at += header + (short < 126 ? short : long());
  }
  return false;
}
