import { ByteWriter } from './byte-writer.js';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const FRAME_BYTES = 12;
/** Chunks of the picture and of its colours. */
const KEPT = ['IHDR', 'PLTE', 'tRNS', 'cHRM', 'gAMA', 'sRGB', 'cICP', 'sBIT', 'IDAT'];
/** Chunks of text, which does not affect the picture; a megabyte takes seconds to inflate. */
const TEXTS = ['tEXt', 'zTXt', 'iTXt'];
const END = Buffer.from('0000000049454e44ae426082', 'hex');

/** Returns a PNG with only its first picture; null if a chunk is malformed. */
export function stripPng(bytes: Buffer): Buffer | null {
  return filterPng(bytes, (type) => KEPT.includes(type));
}

/** Returns a PNG without its texts; null if a chunk is malformed. */
export function dropTexts(bytes: Buffer): Buffer | null {
  return filterPng(bytes, (type) => !TEXTS.includes(type));
}

function filterPng(bytes: Buffer, isKept: (type: string) => boolean): Buffer | null {
  const kept = new ByteWriter();
  kept.add(bytes.subarray(0, SIGNATURE_BYTES));
  for (let at = SIGNATURE_BYTES; at + FRAME_BYTES <= bytes.length;) {
    const end = at + FRAME_BYTES + bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IEND') {
      kept.add(END);
      return kept.toBuffer();
    }
    if (end > bytes.length) return null;
    if (isKept(type)) kept.add(bytes.subarray(at, end));
    at = end;
  }
  return null;
}
