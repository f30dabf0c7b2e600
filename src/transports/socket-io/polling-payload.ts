const SEPARATOR = '\x1e';
const LENGTH_END = 0xff;

/**
 * Counts the packets in a polling body without decoding them; stops counting past `max`.
 *
 * Engine.IO 4 separates packets by U+001E; Engine.IO 3 puts `length:` before each in text, and
 * a type byte, decimal digits as bytes and 0xff in binary.
 */
export function countPackets(body: string | Buffer, protocol: number, max: number): number {
  if (typeof body !== 'string') return countBinary(body, max);
  return protocol === 3 ? countPrefixed(body, max) : countSeparated(body, max);
}

function countSeparated(body: string, max: number): number {
  let count = 1;
  for (let at = body.indexOf(SEPARATOR); at !== -1; at = body.indexOf(SEPARATOR, at + 1)) {
    if (++count > max) break;
  }
  return count;
}

function countPrefixed(body: string, max: number): number {
  let count = 0;
  for (let at = 0; at < body.length && count <= max; count++) {
    const colon = body.indexOf(':', at);
    const length = Number(body.slice(at, colon));
    if (colon === -1 || !Number.isInteger(length) || length < 0) return count;
    at = colon + 1 + length;
  }
  return count;
}

function countBinary(body: Buffer, max: number): number {
  let count = 0;
  for (let at = 0; at < body.length && count <= max; count++) {
    const end = body.indexOf(LENGTH_END, at);
    if (end === -1) return count;
    const length = Number([...body.subarray(at + 1, end)].join(''));
    if (!Number.isInteger(length)) return count;
    at = end + 1 + length;
  }
  return count;
}
