/** Supported image types (P-14.3). */
export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp' | 'image/avif';

/** Number of bytes from which the type of a file is detected. */
export const HEAD_BYTES = 64;

const AVIF_BRANDS = ['avif', 'avis'];

/** Detects the image type from the first bytes of a file; null if it is not supported. */
export function imageTypeOf(head: Buffer): ImageType | null {
  const text = (from: number, to: number) => head.toString('latin1', from, to);
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (text(0, 3) === '\xff\xd8\xff') return 'image/jpeg';
  if (['GIF87a', 'GIF89a'].includes(text(0, 6))) return 'image/gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp';
  return isAvif(head) ? 'image/avif' : null;
}

/** Returns whether the first box, `ftyp`, has an AVIF brand, as its main or a compatible one. */
function isAvif(head: Buffer): boolean {
  if (head.length < 16 || head.toString('latin1', 4, 8) !== 'ftyp') return false;
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands = [head.toString('latin1', 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(head.toString('latin1', at, at + 4));
  return brands.some((brand) => AVIF_BRANDS.includes(brand));
}

/** Media type of every preview. */
export const PREVIEW_TYPE = 'image/webp';
