import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import { storageError } from './file-errors.js';
import { FileFolder, type IncomingFile } from './file-folder.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';
import { ImageCleaner } from './image-cleaner.js';
import { HEAD_BYTES, imageTypeOf, type ImageType } from './image-type.js';
import { Slots } from './slots.js';
import { previewKey, type StoredFile } from './stored-file.js';

/** Images that are decoded at a time: each takes a thread and the memory of all its pixels. */
const DECODED_AT_ONCE = 2;
/** Of AVIF, the largest take a gigabyte and seconds of a thread, however few bytes they have. */
const AVIF_AT_ONCE = 1;
const OTHER_TYPE = 'application/octet-stream';

/** What comes in: whose it is, and what is known of it. */
export interface FileOrigin {
  readonly ownerId: string;
  readonly name?: string | undefined;
  /** Whether nothing but an image will do. */
  readonly isImage?: boolean;
  /** Told how many bytes came; throws if that is too much for now. */
  readonly charge?: ((bytes: number) => void) | undefined;
}

/** The way of bytes into the storage: received, told what they are, and put in their place. */
@Injectable()
export class FileIntake {
  private readonly slots = new Slots(DECODED_AT_ONCE);
  private readonly avifSlots = new Slots(AVIF_AT_ONCE);
  /** Ids of files whose bytes may be in their place before the database knows them. */
  private readonly underWay = new Set<string>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(FileFolder) private readonly folder: FileFolder,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    @Inject(ImageCleaner) private readonly images: ImageCleaner,
  ) {}

  /**
   * Stores bytes and has the file made known by `commit`, which tells whether it is.
   *
   * Unless it is known then, or may be, nothing is left of it.
   */
  async bring<T>(
    source: AsyncIterable<Uint8Array>,
    origin: FileOrigin,
    commit: (file: StoredFile) => Promise<{ isKept: boolean; result: T }>,
  ): Promise<T> {
    const id = randomBytes(16).toString('hex');
    this.underWay.add(id);
    try {
      const file = await this.store(id, source, origin);
      return await this.settle(file, commit);
    } catch (error) {
      throw storageError(error);
    } finally {
      this.underWay.delete(id);
    }
  }

  /** Tells whether a file, known or not, is being stored now. */
  isUnderWay(id: string): boolean {
    return this.underWay.has(id);
  }

  /** Removes the bytes of a file. */
  async remove(id: string): Promise<void> {
    await this.storage.remove(previewKey(id));
    await this.storage.remove(id);
  }

  private async settle<T>(
    file: StoredFile,
    commit: (file: StoredFile) => Promise<{ isKept: boolean; result: T }>,
  ): Promise<T> {
    try {
      const { isKept, result } = await commit(file);
      if (!isKept) await this.remove(file.id);
      return result;
    } catch (error) {
      // Nobody knows then whether it was committed; the sweeper will.
      const isUnknown = error instanceof ProtocolError && error.code === 'unavailable';
      if (!isUnknown) await this.remove(file.id);
      throw error;
    }
  }

  private async store(
    id: string,
    source: AsyncIterable<Uint8Array>,
    origin: FileOrigin,
  ): Promise<StoredFile> {
    const came = await this.folder.receive(source, this.config.limits.fileBytes);
    try {
      if (came.size === 0) throw new ProtocolError('invalid', { message: 'The file is empty.' });
      origin.charge?.(came.size);
      const type = imageTypeOf(await headOf(came));
      if (type !== null) {
        return await this.inTurn(origin, type, () => this.storeImage(id, came, type, origin));
      }
      if (origin.isImage === true) throw new ProtocolError('image_unreadable');
      await this.storage.put(id, came.path);
      const { ownerId, name = 'file' } = origin;
      return { id, ownerId, name, type: OTHER_TYPE, size: came.size };
    } finally {
      await this.folder.discard(came.path);
    }
  }

  /** Nobody waits for the images of one user alone, nor for AVIF alone. */
  private inTurn<T>({ ownerId }: FileOrigin, type: ImageType, work: () => Promise<T>): Promise<T> {
    const begin = () => this.slots.run(ownerId, work);
    return type === 'image/avif' ? this.avifSlots.run(ownerId, begin) : begin();
  }

  private async storeImage(
    id: string,
    came: IncomingFile,
    type: ImageType,
    { ownerId, name = type.replace('/', '.') }: FileOrigin,
  ): Promise<StoredFile> {
    const { bytes, preview, width, height } = await this.images.clean(came.path, type);
    await this.put(id, bytes);
    try {
      await this.put(previewKey(id), preview.bytes);
    } catch (error) {
      await this.storage.remove(id);
      throw error;
    }
    const size = bytes.length;
    const image = { width, height, preview: { width: preview.width, height: preview.height } };
    return { id, ownerId, name, type, size, image };
  }

  private async put(key: string, bytes: Buffer): Promise<void> {
    const { path } = await this.folder.receive(only(bytes), bytes.length);
    try {
      await this.storage.put(key, path);
    } finally {
      await this.folder.discard(path);
    }
  }
}

/** Gives bytes that are in memory as the source of a file. */
export async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function headOf({ path }: IncomingFile): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
