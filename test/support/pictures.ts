import sharp, { type Metadata, type Sharp } from 'sharp';

/** Types of images as sharp names them. */
export const FORMATS = ['png', 'jpeg', 'gif', 'webp', 'avif'] as const;
export type Format = (typeof FORMATS)[number];

/** A still image, by default of 60 × 40 pixels. */
export function picture(format: Format, { width = 60, height = 40 } = {}): Promise<Buffer> {
  return still(width, height).toFormat(format).toBuffer();
}

/** An image that lies on its side, with a text in its metadata. */
export function photo(format: 'jpeg' | 'png' | 'webp', secret: string): Promise<Buffer> {
  return still(60, 40)
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Copyright: secret } })
    .toFormat(format)
    .toBuffer();
}

/** An animation of three frames of 60 × 40 pixels. */
export async function animation(format: 'gif' | 'webp'): Promise<Buffer> {
  const frames = ['red', 'green', 'blue'].map((color) => still(60, 40, color).png().toBuffer());
  const all = sharp(await Promise.all(frames), { join: { animated: true } });
  return all.toFormat(format, { delay: [100, 100, 100] }).toBuffer();
}

/** An image that no encoder makes small. */
export function noise(format: Format, width: number, height: number): Promise<Buffer> {
  const grain = { type: 'gaussian', mean: 128, sigma: 80 } as const;
  const create = { width, height, channels: 4, background: 'red', noise: grain } as const;
  return sharp({ create }).toFormat(format).toBuffer();
}

/** Reads what a program for images would show. */
export function look(bytes: Buffer): Promise<Metadata> {
  return sharp(bytes, { animated: true }).metadata();
}

function still(width: number, height: number, background = 'teal'): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}
