import { chmod, mkdir, open, readdir, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { Logger } from '@nestjs/common';

const OTHERS = 0o077;
/** Names that the server creates in its data folder. */
const OWN_NAMES = /^(parlance\.db.*|token-keys\.json.*|files)$/;

/** Creates a missing folder, private to this user, and syncs it. */
export async function makePrivateFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  const first = resolve(made);
  for (let folder = resolve(path); folder.length >= first.length; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
  }
}

/**
 * Syncs the names in a folder to the disk.
 *
 * Until then a power cut may remove the name of a new file, even if the file is synced. Windows has
 * no such call and needs none.
 */
export async function syncFolder(path: string): Promise<void> {
  if (platform() === 'win32') return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Creates a missing file, private to this user. */
export async function makePrivateFile(path: string): Promise<void> {
  await (await open(path, 'a', 0o600)).close();
}

/**
 * Removes the access of other users to the data folder of an earlier version and to its files.
 *
 * Only warns about a folder that also holds other files.
 */
export async function tightenDataFolder(folder: string): Promise<void> {
  if (platform() === 'win32') return;
  const names = await readdir(folder);
  for (const name of names.filter((one) => OWN_NAMES.test(one))) {
    await tighten(join(folder, name));
  }
  if (names.every((name) => OWN_NAMES.test(name))) await tighten(folder);
  else await warnIfOpen(folder);
}

async function tighten(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return;
  await chmod(path, mode & ~OTHERS & 0o777).catch(() => warnIfOpen(path));
}

async function warnIfOpen(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return;
  new Logger('Database').warn({
    msg: `Other users of this machine may open ${path}; run: chmod go= ${path}`,
    path,
  });
}
