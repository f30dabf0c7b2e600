import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { LimitName } from '../../protocol/limits.js';
import { tooLarge } from '../file-errors.js';
import { DecoderProcess, type DecoderResult } from './decoder-process.js';
import { DecoderQueue } from './decoder-queue.js';
import type { DecodedImage, ImageJob } from './image-job.js';
import type { ImageType } from './image-type.js';

const LIGHT = { memoryBytes: 256 * 1_024 * 1_024, timeMs: 2_000 };

/** A file on the local disk with the signature of an image. */
export interface ImageFile {
  readonly ownerId: string;
  readonly path: string;
  readonly size: number;
  readonly type: ImageType;
}

/**
 * Decodes images in separate processes, within limits of memory and time (P-14.3, P-9.14).
 *
 * Each image first runs as a light job. If its header or its use of resources shows that it is
 * heavy, it waits for the process for heavy images, so that it does not delay others for long.
 */
@Injectable()
export class ImageCleaner implements OnApplicationShutdown {
  private readonly logger = new Logger(ImageCleaner.name);
  private readonly decoders: readonly DecoderProcess[];
  private readonly queue: DecoderQueue<DecoderProcess>;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    const { imageMemoryBytes, imageMs } = config.limits;
    const light = new DecoderProcess({
      memoryBytes: Math.min(LIGHT.memoryBytes, imageMemoryBytes),
      timeMs: Math.min(LIGHT.timeMs, imageMs),
    });
    const any = new DecoderProcess({ memoryBytes: imageMemoryBytes, timeMs: imageMs });
    this.decoders = [light, any];
    this.queue = new DecoderQueue([
      { decoder: light, acceptsHeavy: false },
      { decoder: any, acceptsHeavy: true },
    ]);
  }

  onApplicationShutdown(): void {
    for (const decoder of this.decoders) decoder.end();
  }

  /**
   * Decodes an image; writes the image and the preview to store next to it.
   *
   * @throws ProtocolError `too_large`, `image_unreadable`, `unavailable`
   */
  async clean(file: ImageFile): Promise<DecodedImage> {
    const light = await this.decode(file, true);
    const isDone = 'image' in light || 'exceeded' in light || 'isUnreadable' in light;
    return this.imageOf(isDone || 'failure' in light ? light : await this.decode(file, false));
  }

  private decode({ ownerId, size, path, type }: ImageFile, isLight: boolean) {
    const job: ImageJob = { path, type, isLight, limits: this.headerLimits() };
    const queuedJob = { owner: ownerId, size, isHeavy: !isLight };
    return this.queue.run(queuedJob, async (decoder) => {
      try {
        return await decoder.decode(job);
      } catch (error) {
        this.logger.error({ msg: 'The process that decodes images failed', err: error });
        const message = 'Images cannot be processed now; try again later.';
        throw new ProtocolError('unavailable', { message });
      }
    });
  }

  private headerLimits(): ImageJob['limits'] {
    const { imageSide, imagePixels, imageDecodedBytes } = this.config.limits;
    return { imageSide, imagePixels, imageDecodedBytes };
  }

  private imageOf(result: DecoderResult): DecodedImage {
    if ('image' in result) return result.image;
    if ('exceeded' in result) throw this.tooLarge(result.exceeded);
    if ('isOutOfMemory' in result) throw this.tooLarge('imageMemoryBytes');
    if ('isOutOfTime' in result) throw this.tooLarge('imageMs');
    if ('failure' in result) {
      const { message, code } = result.failure;
      throw Object.assign(new Error(message), { code });
    }
    if ('isCrashed' in result) {
      this.logger.warn({ msg: 'An image crashed the process that decoded it' });
    }
    throw new ProtocolError('image_unreadable');
  }

  private tooLarge(limit: LimitName): ProtocolError {
    return tooLarge(limit, this.config.limits[limit]);
  }
}
