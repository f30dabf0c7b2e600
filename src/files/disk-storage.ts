import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { syncFolder } from '../database/private-folder.js';
import { FileFolder } from './file-folder.js';
import type { ByteRange, FileStorage } from './file-storage.js';

const SHARD = /^[0-9a-f]{2}$/;

/** Stores files on the local disk, in folders named after the first two characters of the keys. */
@Injectable()
export class DiskStorage implements FileStorage {
  constructor(private readonly folder: FileFolder) {}

  async put(key: string, path: string): Promise<void> {
    const target = this.pathOf(key);
    const shard = dirname(target);
    const made = await mkdir(shard, { recursive: true });
    await rename(path, target);
    try {
      await syncFolder(shard);
      if (made !== undefined) await syncFolder(dirname(shard));
    } catch (error) {
      await this.remove(key);
      throw error;
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable | null> {
    let file: FileHandle;
    try {
      file = await open(this.pathOf(key));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    return file.createReadStream(range);
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  async *keys(): AsyncIterable<readonly string[]> {
    for (const shard of await readdir(this.folder.path)) {
      if (SHARD.test(shard)) yield await readdir(join(this.folder.path, shard));
    }
  }

  private pathOf(key: string): string {
    return join(this.folder.path, key.slice(0, 2), key);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
