const HEADER_BYTES = 12;
const CHUNK_BYTES = 8;
const FRAME_HEADER_BYTES = 16;
/** Chunks with picture data; in a still image, the first `VP8 ` or `VP8L` is the last chunk. */
const PICTURE = ['ALPH', 'VP8 ', 'VP8L'];
/** Flags of `VP8X` for alpha and animation; the others are for metadata. */
const KEPT_FLAGS = 0x12;

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

/** Returns a WebP with only its pictures; null if a chunk is malformed. */
export function stripWebp(bytes: Buffer): Buffer | null {
  const chunks = chunksOf(bytes.subarray(HEADER_BYTES, endOf(bytes)));
  if (chunks === null) return null;
  const kept: Buffer[] = [];
  for (const chunk of chunks) {
    const clean = strip(chunk);
    if (clean !== null) kept.push(encode(clean));
    if (chunk.type === 'VP8 ' || chunk.type === 'VP8L') break;
  }
  const body = Buffer.concat([Buffer.from('WEBP'), ...kept]);
  return Buffer.concat([frame('RIFF', body.length), body]);
}

/** Returns whether all pictures of a WebP are lossless. */
export function isLosslessWebp(bytes: Buffer): boolean {
  const chunks = chunksOf(bytes.subarray(HEADER_BYTES, endOf(bytes))) ?? [];
  const all = chunks.flatMap((chunk) =>
    chunk.type === 'ANMF' ? (chunksOf(chunk.data.subarray(FRAME_HEADER_BYTES)) ?? []) : [chunk],
  );
  const has = (type: string) => all.some((chunk) => chunk.type === type);
  return has('VP8L') && !has('VP8 ');
}

function endOf(bytes: Buffer): number {
  return bytes.length < HEADER_BYTES ? 0 : CHUNK_BYTES + bytes.readUInt32LE(4);
}

function chunksOf(bytes: Buffer): Chunk[] | null {
  const chunks: Chunk[] = [];
  for (let at = 0; at + CHUNK_BYTES <= bytes.length;) {
    const start = at + CHUNK_BYTES;
    const end = start + bytes.readUInt32LE(at + 4);
    if (end > bytes.length) return null;
    chunks.push({ type: bytes.toString('latin1', at, at + 4), data: bytes.subarray(start, end) });
    at = end + (end % 2);
  }
  return chunks;
}

function strip({ type, data }: Chunk): Chunk | null {
  if (PICTURE.includes(type) || type === 'ANIM') return { type, data };
  if (type === 'VP8X') {
    const flags = Buffer.from([(data[0] ?? 0) & KEPT_FLAGS]);
    return { type, data: Buffer.concat([flags, data.subarray(1)]) };
  }
  if (type !== 'ANMF') return null;
  const parts = chunksOf(data.subarray(FRAME_HEADER_BYTES)) ?? [];
  const pictures = parts.filter((part) => PICTURE.includes(part.type)).map(encode);
  return { type, data: Buffer.concat([data.subarray(0, FRAME_HEADER_BYTES), ...pictures]) };
}

function encode({ type, data }: Chunk): Buffer {
  const padding = Buffer.alloc(data.length % 2);
  return Buffer.concat([frame(type, data.length), data, padding]);
}

function frame(type: string, length: number): Buffer {
  const head = Buffer.alloc(CHUNK_BYTES);
  head.write(type, 'latin1');
  head.writeUInt32LE(length, 4);
  return head;
}
