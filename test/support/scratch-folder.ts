import { existsSync, statfsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Linux keeps files in memory: a flush to the disk costs nothing there. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 2 ** 30;

/** Makes a folder for a database of a test, in memory if there is room enough. */
export function makeScratchFolder(): Promise<string> {
  return mkdtemp(join(hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'parlance-'));
}

/** Makes a folder on the disk, where a commit takes its time. */
export function makeDiskFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'parlance-'));
}

function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= ENOUGH_BYTES;
}
