import type { Readable } from 'node:stream';

/** Token by which the {@link FileStorage} is injected. */
export const FILE_STORAGE = Symbol('FileStorage');

/** Where the bytes of files are. Keys have letters, digits, `-`, `_` and `.` only. */
export interface FileStorage {
  /**
   * Takes over a file that is complete and synced on the local disk.
   *
   * When this resolves, the bytes survive a power cut. If it rejects, nothing is left.
   */
  put(key: string, path: string): Promise<void>;
  /** Opens what is stored under a key; null if there is nothing. */
  open(key: string): Promise<Readable | null>;
  /** Removes what is stored under a key, if it is there. */
  remove(key: string): Promise<void>;
  /** Lists all keys, some at a time. */
  keys(): AsyncIterable<readonly string[]>;
}
