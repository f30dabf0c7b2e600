import { randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { tooLarge } from './file-errors.js';

/** A file on the local disk that is not stored yet. */
export interface IncomingFile {
  readonly path: string;
  readonly size: number;
}

/** The folder on the local disk that belongs to the files of this database, and what comes in. */
@Injectable()
export class FileFolder implements OnModuleInit {
  private folder: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
  ) {}

  /** What came in half before the process ended is of no use to anybody. */
  async onModuleInit(): Promise<void> {
    const found = await this.reader.snapshot(({ sql }) =>
      sql.get<{ id: string }>('SELECT id FROM file_stores'),
    );
    if (found === undefined) throw new Error('The database names no folder for files');
    this.folder = join(this.config.filesDir, found.id);
    await rm(this.incoming, { recursive: true, force: true });
    await mkdir(this.incoming, { recursive: true });
  }

  /** The path of the folder. */
  get path(): string {
    if (this.folder === undefined) throw new Error('The folder of the files is not known yet');
    return this.folder;
  }

  /**
   * Writes bytes to the disk as they come, and syncs them; if that fails, nothing is left.
   *
   * @throws ProtocolError `too_large` past `limit` bytes
   */
  async receive(source: AsyncIterable<Uint8Array>, limit: number): Promise<IncomingFile> {
    const path = join(this.incoming, randomBytes(16).toString('hex'));
    const file = await open(path, 'wx');
    let size = 0;
    try {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > limit) throw tooLarge('fileBytes', limit);
        await file.writeFile(chunk);
      }
      await file.datasync();
      await file.close();
      return { path, size };
    } catch (error) {
      await file.close().catch(() => undefined);
      await this.discard(path);
      throw error;
    }
  }

  /** Removes what came in and is not needed any more. */
  async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  private get incoming(): string {
    return join(this.path, 'incoming');
  }
}
