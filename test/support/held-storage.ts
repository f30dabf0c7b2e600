import { stat } from 'node:fs/promises';

import { FILE_STORAGE, type FileStorage } from '#src/files/file-storage.js';

import { Gate } from './gate.js';
import type { TestServer } from './server.js';

/** The storage of a server, which holds up large files as long as a test wants. */
export class HeldStorage {
  private readonly gate = new Gate();

  /** Holds up files with more than so many bytes from now on. */
  constructor(server: TestServer, bytes: number) {
    const storage = server.app.get<FileStorage>(FILE_STORAGE, { strict: false });
    const put = storage.put.bind(storage);
    storage.put = async (key, path) => {
      if ((await stat(path)).size > bytes) await this.gate.pass();
      await put(key, path);
    };
  }

  /** Resolves when a file is held up. */
  get reached(): Promise<void> {
    return this.gate.reached;
  }

  /** Holds up nothing any more. */
  release(): void {
    this.gate.release();
  }
}
