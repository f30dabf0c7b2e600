import { isUtf8 } from 'node:buffer';

const TEXT = 0;
const BINARY = 1;
const LENGTH_END = 0xff;
/** Clients of Socket.IO 1.0 to 1.3 number their requests by the clock and a counter. */
const FIRST_TIMESTAMP = /^\d{13}-\d+$/;
const BROKEN: OldPacket = { type: 'error', data: 'parser error' };

interface OldPacket {
  readonly type: string;
  readonly data?: unknown;
}

/** What engine.io takes packets apart and puts them together with, for Engine.IO 3. */
export interface OldParser {
  encodePacket(
    packet: OldPacket,
    supportsBinary: boolean,
    asUtf8: boolean,
    done: (encoded: string | Buffer) => void,
  ): void;
  encodePayload(
    packets: readonly OldPacket[],
    supportsBinary: boolean,
    done: (body: string | Buffer) => void,
  ): void;
  decodePayload(
    body: string | Buffer,
    each: (packet: OldPacket, at: number, all: number) => unknown,
  ): void;
}

/**
 * Gives a parser that answers polls in the binary framing (P-10.3).
 *
 * All clients of Engine.IO 3 read it, and those of Socket.IO 1.x nothing else where they can read
 * bytes; engine.io uses it only for packets that are binary themselves.
 */
export function answeringInBinary(parser: OldParser): OldParser {
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

/** Puts a type byte before a packet, the decimal digits of its length in bytes, and 0xff. */
function framed(packet: string | Buffer): Buffer[] {
  const body = typeof packet === 'string' ? Buffer.from(packet) : packet;
  const digits = Array.from(String(body.length), Number);
  const type = typeof packet === 'string' ? TEXT : BINARY;
  return [Buffer.from([type, ...digits, LENGTH_END]), body];
}

/**
 * Tells whether a client posts texts whose characters are bytes of UTF-8.
 *
 * Engine.IO changed that without a new number; its clients tell themselves apart by nothing but
 * the form of what keeps caches away.
 */
export function postsBytesAsTexts(timestamp: unknown): boolean {
  return typeof timestamp === 'string' && FIRST_TIMESTAMP.test(timestamp);
}

/** Gives a parser that reads such texts. */
export function readingBytesAsTexts(parser: OldParser): OldParser {
  return {
    ...parser,
    decodePayload: (body, each) => {
      const isText = typeof body === 'string';
      parser.decodePayload(body, (packet, at, all) =>
        each(isText ? readBytes(packet) : packet, at, all),
      );
    },
  };
}

function readBytes(packet: OldPacket): OldPacket {
  const { data } = packet;
  if (typeof data !== 'string') return packet;
  const bytes = Buffer.from(data, 'latin1');
  const isFaithful = isUtf8(bytes) && bytes.toString('latin1') === data;
  return isFaithful ? { ...packet, data: bytes.toString() } : BROKEN;
}
