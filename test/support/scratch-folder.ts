import { existsSync, statfsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The file system of Linux in memory, where syncing costs nothing. */
const IN_MEMORY = '/dev/shm';
const MIN_FREE_BYTES = 2 ** 30;

/** Creates a folder for a database, in memory if enough space is free. */
export function makeScratchFolder(): Promise<string> {
  return mkdtemp(join(hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'parlance-'));
}

/** Creates a folder on the disk, where commits take time. */
export function makeDiskFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'parlance-'));
}

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= MIN_FREE_BYTES;
}
