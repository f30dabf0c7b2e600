import { ByteWriter } from './byte-writer.js';

const [SOI, EOI, SOS, DQT, DHT, DRI, APP0, APP14, SOF0] = [
  0xd8, 0xd9, 0xda, 0xdb, 0xc4, 0xdd, 0xe0, 0xee, 0xc0,
];
/** Start-of-frame markers: baseline, extended, progressive. */
const FRAMES = [SOF0, 0xc1, 0xc2];
const PICTURE = [...FRAMES, DQT, DHT, DRI, SOS];
/** JFIF without a thumbnail: version 1.1, pixels are square. */
const JFIF = Buffer.from('ffe000104a46494600010100000100010000', 'hex');
/** Sum of the standard luminance table, which corresponds to quality 50. */
const TABLE_SUM = 3_688;
const BEST_QUALITY = 100;

/** A marker with its data, and the position after it. */
interface Segment {
  readonly marker: number;
  readonly data: Buffer;
  readonly end: number;
}

/** Returns a JPEG with only its picture; null if a segment is malformed. */
export function stripJpeg(bytes: Buffer): Buffer | null {
  const kept = new ByteWriter();
  kept.add(bytes.subarray(0, 2));
  for (let at = 2; ;) {
    const segment = nextSegment(bytes, at);
    if (segment === null) return null;
    const { marker, data, end } = segment;
    if (marker === SOI || isOtherFrame(marker)) return null;
    if (marker === EOI) {
      kept.add(Buffer.from([0xff, EOI]));
      return kept.toBuffer();
    }
    at = marker === SOS ? endOfScan(bytes, end) : end;
    kept.add(strip(marker, data), bytes.subarray(end, at));
  }
}

/** Returns the bytes to keep of a segment; none if it does not affect the picture. */
function strip(marker: number, data: Buffer): Buffer {
  if (marker === APP0 && isJfif(data)) return JFIF;
  if (marker === APP14) return framed(marker, data.subarray(0, 12));
  return PICTURE.includes(marker) ? framed(marker, data) : Buffer.alloc(0);
}

/** Estimates the quality at which a JPEG was saved, from its first quantization table. */
export function qualityOf(bytes: Buffer): number {
  for (let at = 2; ;) {
    const segment = nextSegment(bytes, at);
    if (segment === null || segment.marker === SOS) return BEST_QUALITY;
    if (segment.marker === DQT && segment.data.length >= 65) return qualityOfTable(segment.data);
    at = segment.end;
  }
}

function qualityOfTable(data: Buffer): number {
  const isWide = (data[0] ?? 0) >= 0x10;
  const table = data.subarray(1, 65);
  const sum = isWide ? TABLE_SUM : table.reduce((total, step) => total + step, 0);
  const scale = (100 * sum) / TABLE_SUM;
  return Math.round(scale <= 100 ? (200 - scale) / 2 : 5_000 / scale);
}

/** Returns the next segment after stray and fill bytes; null at the end of the file. */
function nextSegment(bytes: Buffer, from: number): Segment | null {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0 || marker === 0xff || isRestart(marker)) continue;
    if (marker === SOI || marker === EOI) return { marker, data: Buffer.alloc(0), end: at + 2 };
    if (at + 4 > bytes.length) return null;
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    return end > bytes.length ? null : { marker, data: bytes.subarray(at + 4, end), end };
  }
  return null;
}

/** Returns the end of a scan, in which zero or a restart marker follows each 0xff. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && !isRestart(next)) return at;
  }
  return bytes.length;
}

/** Returns whether a frame is of a kind that browsers do not support, such as arithmetic. */
function isOtherFrame(marker: number): boolean {
  return marker > 0xc2 && marker < 0xd0 && marker !== DHT;
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

function isJfif(data: Buffer): boolean {
  return data.toString('latin1', 0, 5) === 'JFIF\0';
}

function framed(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}
