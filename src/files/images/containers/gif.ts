import type { Dimensions } from '../../../store/stored-file.js';
import { ByteWriter } from './byte-writer.js';

const HEADER_BYTES = 13;
const [EXTENSION, FRAME, TRAILER] = [0x21, 0x2c, 0x3b];
const [CONTROL, APPLICATION] = [0xf9, 0xff];
/** Application blocks that hold the number of loops of an animation. */
const LOOPS = ['NETSCAPE2.0', 'ANIMEXTS1.0'];

/**
 * Returns a GIF with only its frames, on a screen of the decoded size; null if it is truncated.
 *
 * The original screen can be far larger than all frames, and browsers would allocate all of it.
 */
export function stripGif(bytes: Buffer, { width, height }: Dimensions): Buffer | null {
  if (bytes.length < HEADER_BYTES) return null;
  const start = HEADER_BYTES + tableBytes(bytes[10] ?? 0);
  const kept = new ByteWriter();
  const header = Buffer.from(bytes.subarray(0, start));
  header.writeUInt16LE(width, 6);
  header.writeUInt16LE(height, 8);
  kept.add(header);
  for (let at = start; at < bytes.length;) {
    const block = bytes[at];
    // Other data can follow instead of the trailer; browsers stop there.
    if (block !== EXTENSION && block !== FRAME) break;
    const end = block === FRAME ? endOfFrame(bytes, at) : endOfBlocks(bytes, at + 2);
    if (end > bytes.length) return null;
    if (block === FRAME || isKept(bytes, at)) kept.add(bytes.subarray(at, end));
    at = end;
  }
  kept.add(Buffer.from([TRAILER]));
  return kept.toBuffer();
}

/** Returns the size of a colour table in bytes, from the flags before it. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}

function endOfFrame(bytes: Buffer, at: number): number {
  const table = tableBytes(bytes[at + 9] ?? 0);
  return endOfBlocks(bytes, at + 10 + table + 1);
}

/** Returns the end of a sequence of length-prefixed blocks; an empty block ends it. */
function endOfBlocks(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] ?? 0) !== 0) at += 1 + (bytes[at] ?? 0);
  return at + 1;
}

function isKept(bytes: Buffer, at: number): boolean {
  if (bytes[at + 1] === CONTROL) return true;
  return bytes[at + 1] === APPLICATION && LOOPS.includes(bytes.toString('latin1', at + 3, at + 14));
}
