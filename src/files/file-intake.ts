import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import { emptyFile, storageError } from './file-errors.js';
import { FileFolder, type IncomingFile } from './file-folder.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';
import { ImageCleaner } from './images/image-cleaner.js';
import { imagePath, previewPath } from './images/image-job.js';
import { HEAD_BYTES, imageTypeOf, type ImageType } from './images/image-type.js';
import { previewKey, type StoredFile } from '../store/stored-file.js';

const OTHER_TYPE = 'application/octet-stream';

/** An upload: its owner, and the properties that are known before its bytes. */
export interface FileOrigin {
  readonly ownerId: string;
  readonly name?: string | undefined;
  /** Whether the file must be an image. */
  readonly isImage?: boolean;
  /** Called with the number of bytes; throws if they exceed a rate. */
  readonly charge?: ((bytes: number) => void) | undefined;
}

/** Receives files: detects their type, processes images, and puts the bytes into the storage. */
@Injectable()
export class FileIntake {
  /** Ids of files whose bytes may be stored before their rows. */
  private readonly inProgress = new Set<string>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly folder: FileFolder,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    private readonly images: ImageCleaner,
  ) {}

  /**
   * Stores bytes and calls `commit`, which inserts the row of the file and decides whether to keep it.
   *
   * Removes the bytes unless the row exists, or may exist after a failed commit.
   */
  async ingest<T>(
    source: AsyncIterable<Uint8Array>,
    origin: FileOrigin,
    commit: (file: StoredFile) => Promise<{ isKept: boolean; result: T }>,
  ): Promise<T> {
    const id = randomBytes(16).toString('hex');
    this.inProgress.add(id);
    try {
      const file = await this.store(id, source, origin);
      return await this.settle(file, commit);
    } catch (error) {
      throw storageError(error);
    } finally {
      this.inProgress.delete(id);
    }
  }

  /** Returns whether a file is being stored. */
  isInProgress(id: string): boolean {
    return this.inProgress.has(id);
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
      // It is unknown whether the commit succeeded; the sweeper finds out.
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
    const incoming = await this.folder.receive(source, this.config.limits.fileBytes);
    try {
      if (incoming.size === 0) throw emptyFile();
      origin.charge?.(incoming.size);
      const type = imageTypeOf(await headOf(incoming));
      if (type !== null) return await this.storeImage(id, incoming, type, origin);
      if (origin.isImage === true) throw new ProtocolError('image_unreadable');
      await this.storage.put(id, incoming.path);
      const { ownerId, name = 'file' } = origin;
      return { id, ownerId, name, type: OTHER_TYPE, size: incoming.size };
    } finally {
      await this.folder.discard(incoming.path);
    }
  }

  private async storeImage(
    id: string,
    { path, size: sent }: IncomingFile,
    type: ImageType,
    { ownerId, name = type.replace('/', '.') }: FileOrigin,
  ): Promise<StoredFile> {
    try {
      const { preview, ...image } = await this.images.clean({ ownerId, path, size: sent, type });
      const { width, height, size } = image;
      await this.storage.put(id, imagePath(path));
      await this.putPreview(id, previewPath(path));
      return { id, ownerId, name, type, size, image: { width, height, preview } };
    } finally {
      await this.folder.discard(imagePath(path));
      await this.folder.discard(previewPath(path));
    }
  }

  private async putPreview(id: string, path: string): Promise<void> {
    try {
      await this.storage.put(previewKey(id), path);
    } catch (error) {
      await this.storage.remove(id);
      throw error;
    }
  }
}

/** Returns bytes as a stream of one chunk. */
export async function* toStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
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
