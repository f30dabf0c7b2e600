import { randomBytes } from 'node:crypto';
import { chmod, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { toFolderError } from '../config/folder-error.js';
import { makePrivateFolder } from '../database/private-folder.js';
import { Reader } from '../database/reader.js';
import { tooLarge } from './file-errors.js';

/** A received file on the local disk that is not stored yet. */
export interface IncomingFile {
  readonly path: string;
  readonly size: number;
}

/** The local folder for the files of this database, and for incoming files. */
@Injectable()
export class FileFolder implements OnModuleInit {
  private folder: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
  ) {}

  /** Removes files that were incomplete when the process ended. */
  async onModuleInit(): Promise<void> {
    const found = await this.reader.snapshot(({ sql }) =>
      sql.get<{ id: string }>('SELECT id FROM file_stores'),
    );
    if (found === undefined) throw new Error('The database has no row in file_stores');
    this.folder = join(this.config.filesDir, found.id);
    try {
      await rm(this.incoming, { recursive: true, force: true });
      await makePrivateFolder(this.incoming);
      // Earlier versions created it readable by other users.
      await chmod(this.folder, 0o700);
    } catch (error) {
      throw toFolderError(error, this.config.filesDir, 'PARLANCE_FILES_DIR');
    }
  }

  /** Path of the folder. */
  get path(): string {
    if (this.folder === undefined)
      throw new Error('The folder for files is unknown before onModuleInit');
    return this.folder;
  }

  /**
   * Writes a stream of bytes to the disk and syncs it. Removes the file on failure.
   *
   * @throws ProtocolError `too_large` above `limit` bytes
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

  /** Removes an incoming file. */
  async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  private get incoming(): string {
    return join(this.path, 'incoming');
  }
}
