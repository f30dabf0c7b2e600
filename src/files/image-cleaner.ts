import { Inject, Injectable } from '@nestjs/common';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import { tooLarge } from './file-errors.js';
import type { ImageType } from './image-type.js';
import type { Dimensions } from './stored-file.js';

/** Loaders of the five types; sharp has many more, for formats that nobody sends here. */
const LOADERS = ['Png', 'Jpeg', 'Nsgif', 'Webp', 'Heif'].map((name) => `VipsForeignLoad${name}`);
/** What a frame counts as at least: hundreds of thousands of tiny ones take a minute. */
const FRAME_PIXELS = 4_096;
const PREVIEW_PIXELS = 480;
/** So that it fits into a data URL of 256 KiB. */
const PREVIEW_BYTES = 192_000;
const PREVIEW_QUALITIES = [75, 40, 10];

/** An image encoded anew, and its preview. */
export interface CleanImage extends Dimensions {
  readonly bytes: Buffer;
  readonly preview: Dimensions & { readonly bytes: Buffer };
}

// What has no signature of the five types is never given to sharp; this is a second wall.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS });
// Nobody sends the same file twice: memory that is kept for that is lost.
sharp.cache(false);

/** Decodes images within limits, and encodes them anew without what else was in the file (P-14.3). */
@Injectable()
export class ImageCleaner {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /**
   * Reads the image in a file on the local disk.
   *
   * @throws ProtocolError `too_large`, `image_unreadable`
   */
  async clean(path: string, type: ImageType): Promise<CleanImage> {
    try {
      await this.requireFitting(path, type);
      return await this.encode(path, type);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError('image_unreadable');
    }
  }

  /** Goes by the head of the image alone. */
  private async requireFitting(path: string, type: ImageType): Promise<void> {
    const limit = this.config.limits.imagePixels;
    // Without a limit of its own, so that what is too large can be told from what is broken.
    const options = { ...optionsFor(type), limitInputPixels: false };
    const head = await sharp(path, options).metadata();
    const frames = options.animated === true ? (head.pages ?? 1) : 1;
    const least = frames > 1 ? frames * FRAME_PIXELS : 0;
    if (Math.max(head.width * head.height, least) > limit) throw tooLarge('imagePixels', limit);
    if (!isOfType(head, type)) throw new ProtocolError('image_unreadable');
  }

  private async encode(path: string, type: ImageType): Promise<CleanImage> {
    const options = { ...optionsFor(type), limitInputPixels: this.config.limits.imagePixels };
    const whole = inType(sharp(path, options).autoOrient(), type);
    const { data, info } = await whole.toBuffer({ resolveWithObject: true });
    const still = sharp(path, { ...options, animated: false }).autoOrient();
    return {
      bytes: data,
      width: info.width,
      height: info.pageHeight ?? info.height,
      preview: await previewOf(still),
    };
  }
}

function optionsFor(type: ImageType): SharpOptions {
  const animated = type === 'image/gif' || type === 'image/webp';
  return { animated, failOn: 'warning', sequentialRead: true };
}

/** A loader goes by the bytes as well: it has to come to the same type. */
function isOfType({ format, compression }: Metadata, type: ImageType): boolean {
  if (type === 'image/avif') return format === 'heif' && compression === 'av1';
  return type === `image/${format}`;
}

function inType(image: Sharp, type: ImageType): Sharp {
  switch (type) {
    case 'image/png':
      return image.png();
    case 'image/jpeg':
      return image.jpeg({ quality: 88 });
    case 'image/gif':
      return image.gif({ effort: 1 });
    case 'image/webp':
      return image.webp({ quality: 88, effort: 2 });
    case 'image/avif':
      // More effort takes a thread for a quarter of a minute, with the largest images.
      return image.avif({ quality: 65, effort: 0 });
  }
}

/** The first picture, small; coarser if there is much noise in it. */
async function previewOf(image: Sharp): Promise<CleanImage['preview']> {
  const small = image.resize({
    width: PREVIEW_PIXELS,
    height: PREVIEW_PIXELS,
    fit: 'inside',
    withoutEnlargement: true,
  });
  for (const quality of PREVIEW_QUALITIES) {
    const encoded = small.clone().webp({ quality, alphaQuality: quality });
    const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
    if (data.length > PREVIEW_BYTES) continue;
    return { bytes: data, width: info.width, height: info.height };
  }
  throw new Error('The preview is too large at the least quality');
}
