import { ByteReader } from './byte-reader.js';

const HEAD_BYTES = 8;

/** A box of the ISO base media file format. */
export interface Box {
  readonly type: string;
  readonly data: Buffer;
}

/** A box with a version and flags. */
export interface FullBox {
  readonly version: number;
  readonly flags: number;
  readonly reader: ByteReader;
}

/** Reads consecutive boxes; throws `RangeError` if one is malformed. */
export function boxesOf(bytes: Buffer): Box[] {
  const reader = new ByteReader(bytes);
  const boxes: Box[] = [];
  while (!reader.isAtEnd) boxes.push(nextBox(reader));
  return boxes;
}

/** Reads boxes up to the first malformed one; other data can follow the boxes of a file. */
export function leadingBoxesOf(bytes: Buffer): Box[] {
  const reader = new ByteReader(bytes);
  const boxes: Box[] = [];
  try {
    while (!reader.isAtEnd) boxes.push(nextBox(reader));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return boxes;
}

/** Reads the version and the flags of a box. */
export function fullBox(data: Buffer): FullBox {
  const reader = new ByteReader(data);
  return { version: reader.number(1), flags: reader.number(3), reader };
}

/** Writes a box. */
export function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const data = Buffer.concat(parts);
  return Buffer.concat([uint(HEAD_BYTES + data.length, 4), Buffer.from(type, 'latin1'), data]);
}

/** Writes a big-endian unsigned number. */
export function uint(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

function nextBox(reader: ByteReader): Box {
  const start = reader.at;
  let size = reader.number(4);
  const type = reader.text(4);
  if (size === 1) size = reader.number(8);
  else if (size === 0) size = reader.bytes.length - start;
  if (size < reader.at - start) throw new RangeError('The box is smaller than its header');
  return { type, data: reader.read(size - (reader.at - start)) };
}
