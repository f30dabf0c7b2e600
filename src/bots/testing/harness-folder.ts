import { existsSync, statfsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readConfig } from '../../config/config.js';
import { sqliteFile, writerDataSource } from '../../database/data-source.js';

/** The file system of Linux in memory, where syncing costs nothing. */
const IN_MEMORY = '/dev/shm';
const MIN_FREE_BYTES = 2 ** 28;

/** A database with its tables and no rows; the migrations run once per process. */
let template: Promise<Buffer> | undefined;

/** Creates a folder with a database that has its tables, in memory if enough space is free. */
export async function makeHarnessFolder(): Promise<string> {
  const folder = await makeFolder();
  await writeFile(databaseIn(folder), await (template ??= makeTemplate()));
  return folder;
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(hasSpace(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'parlance-bots-'));
}

function hasSpace(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= MIN_FREE_BYTES;
}

async function makeTemplate(): Promise<Buffer> {
  const folder = await makeFolder();
  try {
    const config = readConfig({ PARLANCE_DATA_DIR: folder });
    const source = await writerDataSource(config, []).initialize();
    await source.runMigrations({ transaction: 'each' });
    // The file must contain what is still in the write-ahead log.
    await source.query('PRAGMA wal_checkpoint(TRUNCATE)');
    await source.destroy();
    return await readFile(databaseIn(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function databaseIn(folder: string): string {
  return sqliteFile(readConfig({ PARLANCE_DATA_DIR: folder })) ?? '';
}
