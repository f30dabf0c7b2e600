import { isUtf8 } from 'node:buffer';

const TEXT = 0;
const BINARY = 1;
const LENGTH_END = 0xff;
/** Clients of Socket.IO 1.0 to 1.3 number their requests by the clock and a counter. */
const FIRST_TIMESTAMP = /^\d{13}-\d+$/;
const BROKEN: Eio3Packet = { type: 'error', data: 'parser error' };

interface Eio3Packet {
  readonly type: string;
  readonly data?: unknown;
}

/** The parser of engine.io for Engine.IO 3. */
export interface Eio3Parser {
  encodePacket(
    packet: Eio3Packet,
    supportsBinary: boolean,
    asUtf8: boolean,
    done: (encoded: string | Buffer) => void,
  ): void;
  encodePayload(
    packets: readonly Eio3Packet[],
    supportsBinary: boolean,
    done: (body: string | Buffer) => void,
  ): void;
  decodePayload(
    body: string | Buffer,
    each: (packet: Eio3Packet, at: number, all: number) => unknown,
  ): void;
}

/**
 * Returns a parser that answers polls in the binary framing (P-10.3).
 *
 * All clients of Engine.IO 3 read it. Clients of Socket.IO 1.x that can read bytes read nothing
 * else, but engine.io uses it only for binary packets.
 */
export function answeringInBinary(parser: Eio3Parser): Eio3Parser {
  return {
    ...parser,
    encodePayload: (packets, _, done) => {
      const encoded: (string | Buffer)[] = [];
      for (const one of packets) {
        parser.encodePacket(one, true, false, (packet) => encoded.push(packet));
      }
      done(Buffer.concat(encoded.flatMap(framed)));
    },
  };
}

/** Prefixes a packet with a type byte, the decimal digits of its length in bytes, and 0xff. */
function framed(packet: string | Buffer): Buffer[] {
  const body = typeof packet === 'string' ? Buffer.from(packet) : packet;
  const digits = Array.from(String(body.length), Number);
  const type = typeof packet === 'string' ? TEXT : BINARY;
  return [Buffer.from([type, ...digits, LENGTH_END]), body];
}

/**
 * Returns whether a client posts texts whose characters are bytes of UTF-8.
 *
 * Engine.IO changed that without a new version number; its clients differ only in the form of the
 * parameter that prevents caching.
 */
export function postsBytesAsTexts(timestamp: unknown): boolean {
  return typeof timestamp === 'string' && FIRST_TIMESTAMP.test(timestamp);
}

/** Returns a parser that reads such texts. */
export function readingBytesAsTexts(parser: Eio3Parser): Eio3Parser {
  return readingTexts(parser, readBytes);
}

/**
 * Returns a parser that reads texts of either kind, judged by their content.
 *
 * Clients of Socket.IO 1.4 to 1.7 post bytes as texts too, and look like those of 2.x, which post
 * characters. A text that is not valid UTF-8 shows that the client posts characters.
 */
export function readingEitherTexts(parser: Eio3Parser): Eio3Parser {
  let postsCharacters = false;
  return readingTexts(parser, (packet) => {
    if (postsCharacters) return packet;
    const asBytes = readBytes(packet);
    postsCharacters = asBytes === BROKEN;
    return postsCharacters ? packet : asBytes;
  });
}

function readingTexts(parser: Eio3Parser, read: (packet: Eio3Packet) => Eio3Packet): Eio3Parser {
  return {
    ...parser,
    decodePayload: (body, each) => {
      const isText = typeof body === 'string';
      parser.decodePayload(body, (packet, at, all) =>
        each(isText ? read(packet) : packet, at, all),
      );
    },
  };
}

function readBytes(packet: Eio3Packet): Eio3Packet {
  const { data } = packet;
  if (typeof data !== 'string') return packet;
  const bytes = Buffer.from(data, 'latin1');
  const isFaithful = isUtf8(bytes) && bytes.toString('latin1') === data;
  return isFaithful ? { ...packet, data: bytes.toString() } : BROKEN;
}
