import sharp, { type Metadata, type Sharp } from 'sharp';

/** Image formats as sharp names them. */
export const FORMATS = ['png', 'jpeg', 'gif', 'webp', 'avif'] as const;
export type Format = (typeof FORMATS)[number];

/** Returns a still image, by default of 60 × 40 pixels. */
export function picture(format: Format, { width = 60, height = 40 } = {}): Promise<Buffer> {
  return still(width, height).toFormat(format).toBuffer();
}

/** Returns an image that is rotated by its metadata, which also contain a text. */
export function photo(format: 'jpeg' | 'png' | 'webp', secret: string): Promise<Buffer> {
  return still(60, 40)
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Copyright: secret } })
    .toFormat(format)
    .toBuffer();
}

/** Returns an animation of three frames of 60 × 40 pixels. */
export async function animation(format: 'gif' | 'webp'): Promise<Buffer> {
  const frames = ['red', 'green', 'blue'].map((color) => still(60, 40, color).png().toBuffer());
  const all = sharp(await Promise.all(frames), { join: { animated: true } });
  return all.toFormat(format, { delay: [100, 100, 100] }).toBuffer();
}

/** Returns a GIF of one pixel whose frames alternate between black and white. */
export function flicker(frames: number): Buffer {
  const head = Buffer.from('47494638396101000100800000000000ffffff', 'hex');
  const frame = (code: string) =>
    Buffer.from(`21f90400010000002c0000000001000100000202${code}0100`, 'hex');
  const both = [frame('44'), frame('4c')];
  const all = Array.from({ length: frames }, (_, i) => both[i % 2] ?? head);
  return Buffer.concat([head, ...all, Buffer.from(';')]);
}

/** Returns an image of random noise, which compresses badly. */
export function noise(format: Format, width: number, height: number): Promise<Buffer> {
  const grain = { type: 'gaussian', mean: 128, sigma: 80 } as const;
  const create = { width, height, channels: 4, background: 'red', noise: grain } as const;
  return sharp({ create }).toFormat(format).toBuffer();
}

/** Reads the metadata of an image. */
export function look(bytes: Buffer): Promise<Metadata> {
  return sharp(bytes, { animated: true }).metadata();
}

function still(width: number, height: number, background = 'teal'): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}
