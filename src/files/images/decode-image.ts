import { open, readFile, rename, writeFile } from 'node:fs/promises';

import sharp, { type FailOnOptions, type Metadata, type Sharp, type SharpOptions } from 'sharp';

import type { Dimensions } from '../../store/stored-file.js';
import { stripAvif } from './containers/avif.js';
import { stripGif } from './containers/gif.js';
import { qualityOf, stripJpeg } from './containers/jpeg.js';
import { dropTexts, stripPng } from './containers/png.js';
import { isLosslessWebp, stripWebp } from './containers/webp.js';
import {
  imagePath,
  LIGHT_BYTES,
  previewPath,
  type DecodedImage,
  type HeaderLimit,
  type ImageJob,
  type ImageResult,
} from './image-job.js';
import type { ImageType } from './image-type.js';

/** Loaders of the five supported types; sharp has many more. */
const LOADERS = ['Png', 'Jpeg', 'Nsgif', 'Webp', 'Heif'].map((name) => `VipsForeignLoad${name}`);
/** Minimum pixels that a frame counts as: 100,000s of tiny frames take a minute to decode. */
const MIN_FRAME_PIXELS = 4_096;
/** Colour spaces that browsers display without a profile. */
const PLAIN_SPACES = ['srgb', 'rgb', 'b-w', 'grey16', 'rgb16'];
/** Browsers display images with small errors, but not the missing part of truncated ones. */
const LENIENT = 'truncated';
const PREVIEW_PIXELS = 480;
/** Fits into a data URL of 256 KiB. */
const PREVIEW_BYTES = 192_000;
const PREVIEW_QUALITIES = [75, 40, 10];
const DISK_FULL = /no space left|quota exceeded/i;
const JPEG_QUALITY = { min: 40, max: 88 };
/** Remove the metadata without decoding the image; null if the container is malformed. */
const STRIPPERS: Readonly<Record<ImageType, (bytes: Buffer, size: Dimensions) => Buffer | null>> = {
  'image/png': stripPng,
  'image/jpeg': stripJpeg,
  'image/gif': stripGif,
  'image/webp': stripWebp,
  'image/avif': stripAvif,
};

// Files without a signature of the five types never reach sharp; this is a second safeguard.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS });
// The same file is rarely decoded twice, and each process may use one thread only.
sharp.cache(false);
sharp.concurrency(1);

type WrittenImage = Omit<DecodedImage, 'preview'>;
/** Sets the output format of an image. */
type Encoder = (image: Sharp) => Sharp;

/** Decodes an image; writes the image and the preview to store next to it (P-14.3). */
export async function decodeImage(job: ImageJob): Promise<ImageResult> {
  if (job.type === 'image/png') await removeTexts(job.path);
  const head = await headOf(job);
  if (head === null) return { isUnreadable: true };
  const exceeded = exceededLimit(job, head);
  if (exceeded !== null) return { exceeded };
  const isHeavy = costOf(job.type, head) > LIGHT_BYTES;
  if (isHeavy && job.isLight) return { isHeavy };
  const strict = await orUnreadable(() => writePreview(job, 'warning'));
  const preview = strict ?? (await orUnreadable(() => writePreview(job, LENIENT)));
  if (preview === null) return { isUnreadable: true };
  const isFlawless = strict !== null && (await areFramesFlawless(job, head));
  const bytes = await readFile(job.path);
  const original = { head, bytes, isHeavy, isFlawless };
  const image = await orUnreadable(() => writeImage(job, original));
  if (image === null) return { isUnreadable: true };
  await Promise.all([sync(imagePath(job.path)), sync(previewPath(job.path))]);
  return { image: { ...image, preview } };
}

/** Removes the text chunks of a PNG, which libpng inflates at each read. */
async function removeTexts(path: string): Promise<void> {
  const bytes = await readFile(path);
  const without = dropTexts(bytes);
  if (without === null || without.length >= bytes.length) return;
  // This process can be killed now; then another one reads the image again.
  await writeFile(imagePath(path), without);
  await rename(imagePath(path), path);
}

/** An image that can be decoded. */
interface Original {
  readonly head: Metadata;
  readonly bytes: Buffer;
  readonly isHeavy: boolean;
  readonly isFlawless: boolean;
}

async function headOf({ path, type }: ImageJob): Promise<Metadata | null> {
  const head = await orUnreadable(() => sharp(path, optionsFor(type)).metadata());
  return head !== null && isOfType(head, type) ? head : null;
}

/** Returns null if sharp fails because of the image; throws if the disk is full. */
async function orUnreadable<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined) throw error;
    // libvips reports the text of the system error, not its code.
    if (DISK_FULL.test(message)) throw Object.assign(new Error(message), { code: 'ENOSPC' });
    return null;
  }
}

function exceededLimit({ type, limits }: ImageJob, head: Metadata): HeaderLimit | null {
  const { width, height } = head;
  const frames = framesOf(type, head);
  const countedPixels = frames > 1 ? frames * MIN_FRAME_PIXELS : 0;
  const side = Math.max(width, head.pageHeight ?? height);
  if (side > limits.imageSide) return 'imageSide';
  if (Math.max(width * height, countedPixels) > limits.imagePixels) return 'imagePixels';
  return decodedBytes(head) > limits.imageDecodedBytes ? 'imageDecodedBytes' : null;
}

function framesOf(type: ImageType, { pages = 1 }: Metadata): number {
  return optionsFor(type).animated === true ? pages : 1;
}

/** Returns the decoded size in bytes; the `height` of an animation is that of all frames. */
function decodedBytes({ width, height, channels, depth }: Metadata): number {
  return width * height * channels * (depth === 'uchar' ? 1 : 2);
}

function costOf(type: ImageType, head: Metadata): number {
  return decodedBytes(head) * (type === 'image/avif' ? 2 : 1);
}

function optionsFor(type: ImageType): SharpOptions {
  const animated = type === 'image/gif' || type === 'image/webp';
  // The header check enforces the limits, which tells images that are too large from broken ones.
  return { animated, failOn: LENIENT, sequentialRead: true, limitInputPixels: false };
}

/** Returns whether sharp, which detects the type from the bytes too, found the same type. */
function isOfType({ format, compression }: Metadata, type: ImageType): boolean {
  if (type === 'image/avif') return format === 'heif' && compression === 'av1';
  return type === `image/${format}`;
}

/** Writes a preview of the first frame; lowers the quality until it is small enough. */
async function writePreview(
  { path, type }: ImageJob,
  failOn: FailOnOptions,
): Promise<DecodedImage['preview']> {
  const whole = sharp(path, { ...optionsFor(type), animated: false, failOn }).autoOrient();
  const inside = { fit: 'inside', withoutEnlargement: true } as const;
  const size = { width: PREVIEW_PIXELS, height: PREVIEW_PIXELS };
  const { data, info } = await whole
    .resize({ ...size, ...inside })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  for (const quality of PREVIEW_QUALITIES) {
    const small = sharp(data, { raw: { width, height, channels } });
    const bytes = await small.webp({ quality, alphaQuality: quality }).toBuffer();
    if (bytes.length > PREVIEW_BYTES) continue;
    await writeFile(previewPath(path), bytes);
    return { width, height };
  }
  throw new Error('The preview is too large at the lowest quality');
}

/** Decodes all frames strictly; returns whether none has an error. */
async function areFramesFlawless({ path, type }: ImageJob, head: Metadata): Promise<boolean> {
  if (framesOf(type, head) === 1) return true;
  const frames = sharp(path, { ...optionsFor(type), failOn: 'warning' });
  const small = frames.resize({ width: 1, height: 1, fit: 'fill' }).raw();
  return (await orUnreadable(() => small.toBuffer())) !== null;
}

/**
 * Writes the image to store: the original encoding without metadata, or a new encoding.
 *
 * The former loses nothing and never grows, but requires an image without errors.
 */
async function writeImage(job: ImageJob, original: Original): Promise<WrittenImage> {
  const { head, bytes, isFlawless } = original;
  const size = { width: head.width, height: head.pageHeight ?? head.height };
  const isKept = isFlawless && isKeepable(job.type, head);
  const stripped = isKept ? STRIPPERS[job.type](bytes, size) : null;
  const encoders = encodersOf(job.type, original, stripped !== null);
  const encoded = await encodeSmall(job, encoders, bytes.length);
  if (stripped === null || (encoded !== null && encoded.size <= stripped.length)) {
    if (encoded === null) throw new Error('The image cannot be encoded');
    return encoded;
  }
  await writeFile(imagePath(job.path), stripped);
  return { ...size, size: stripped.length };
}

/** Returns whether an image looks the same without its metadata. */
function isKeepable(type: ImageType, { orientation = 1, icc, space }: Metadata): boolean {
  // Its properties, which are kept, hold its orientation and its colours.
  if (type === 'image/avif') return true;
  return orientation === 1 && icc === undefined && PLAIN_SPACES.includes(space);
}

/** Lists ways to encode an image, the fastest first; none if the original encoding is better. */
function encodersOf(type: ImageType, original: Original, isStripped: boolean): Encoder[] {
  switch (type) {
    case 'image/png':
      return pngEncoders(original, isStripped);
    case 'image/jpeg':
      return jpegEncoders(original, isStripped);
    case 'image/webp': {
      const options = { lossless: isLosslessWebp(original.bytes), quality: 88 };
      const effort = original.isHeavy ? 0 : 2;
      return isStripped ? [] : [(image) => image.webp({ ...options, effort })];
    }
    case 'image/gif':
      // It has no orientation and no profile, so it can always be kept.
      return [];
    case 'image/avif':
      // Encoding needs a gigabyte and 15 seconds for the largest images.
      return [];
  }
}

/** Encoding a PNG again is lossless, and often saves bytes. */
function pngEncoders({ isHeavy }: Original, isStripped: boolean): Encoder[] {
  if (isStripped) return isHeavy ? [] : [(image) => image.png()];
  return [(image) => image.png(), (image) => image.png({ adaptiveFiltering: true })];
}

/** Encodes a JPEG at its own quality, up to a maximum. */
function jpegEncoders({ head, bytes }: Original, isStripped: boolean): Encoder[] {
  const original = qualityOf(bytes);
  if (isStripped && original <= JPEG_QUALITY.max) return [];
  const quality = Math.max(JPEG_QUALITY.min, Math.min(JPEG_QUALITY.max, original));
  const chromaSubsampling = head.chromaSubsampling === '4:4:4' ? '4:4:4' : '4:2:0';
  return [(image) => image.jpeg({ quality, chromaSubsampling })];
}

/** Tries encoders in order until the image has at most `limit` bytes; accepts that of the last. */
async function encodeSmall(
  { path, type }: ImageJob,
  encoders: readonly Encoder[],
  limit: number,
): Promise<WrittenImage | null> {
  for (const [index, encoder] of encoders.entries()) {
    const image = encoder(sharp(path, optionsFor(type)).autoOrient());
    const { size, width, height, pageHeight } = await image.toFile(imagePath(path));
    const isLast = index === encoders.length - 1;
    if (size <= limit || isLast) return { size, width, height: pageHeight ?? height };
  }
  return null;
}

/** Syncs a file to the disk, so that it survives a power cut. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
