const TEXT = 0;
const BINARY = 1;
const LENGTH_END = 0xff;

/**
 * Puts packets of Engine.IO 3 into one body of its binary framing.
 *
 * Each has a type byte before it, the decimal digits of its length in bytes, and 0xff.
 */
export function encodeBinaryPayload(packets: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(packets.flatMap(framed));
}

function framed(packet: string | Buffer): Buffer[] {
  const body = typeof packet === 'string' ? Buffer.from(packet) : packet;
  const digits = Array.from(String(body.length), Number);
  const type = typeof packet === 'string' ? TEXT : BINARY;
  return [Buffer.from([type, ...digits, LENGTH_END]), body];
}
