import type { Readable } from 'node:stream';

/** Token by which the {@link FileStorage} is injected. */
export const FILE_STORAGE = Symbol('FileStorage');

/** Positions of the first and the last byte of a range, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Storage for the bytes of files. Keys consist of letters, digits, `-`, `_` and `.`. */
export interface FileStorage {
  /**
   * Moves a complete and synced file from the local disk into the storage.
   *
   * Once it resolves, the bytes survive a power cut. If it rejects, nothing is stored.
   */
  put(key: string, path: string): Promise<void>;
  /** Opens the bytes of a key, or a range of them; null if there are none. */
  open(key: string, range?: ByteRange): Promise<Readable | null>;
  /** Removes the bytes of a key, if there are any. */
  remove(key: string): Promise<void>;
  /** Lists all keys, in batches. */
  keys(): AsyncIterable<readonly string[]>;
}
