import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { toFolderError } from '../config/folder-error.js';
import { StartError } from '../config/start-error.js';
import { makePrivateFolder, syncFolder } from '../database/private-folder.js';

/** A key that signs or verifies tokens. */
export interface TokenKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

const KeyFile = z
  .array(z.object({ id: z.string().min(1), key: z.string().min(43) }))
  .min(1)
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length);

/** Parses keys of the form `id:base64`; the first one signs (P-2.7). */
export function parseTokenKeys(given: readonly string[]): TokenKey[] {
  return given.map((text) => {
    const colon = text.indexOf(':');
    return toKey(text.slice(0, colon), text.slice(colon + 1));
  });
}

/**
 * Loads the keys from the data folder; creates one at the first start, with mode 0600.
 *
 * The file holds `[{"id","key"}]`, newest first. To rotate, insert a new key at the front; remove
 * the old one when the last token that it signed has expired.
 *
 * @throws StartError if the file cannot be read, or is missing although tokens have been signed
 */
export async function loadTokenKeys(dataDir: string, hasSigned: boolean): Promise<TokenKey[]> {
  const file = join(dataDir, 'token-keys.json');
  const text = await readKeyFile(dataDir, file, hasSigned).catch((error: unknown) => {
    throw toFolderError(error, dataDir, 'PARLANCE_DATA_DIR');
  });
  try {
    return KeyFile.parse(JSON.parse(text)).map(({ id, key }) => toKey(id, key));
  } catch (error) {
    if (error instanceof StartError) throw error;
    // Without the cause: JSON.parse quotes the text, which holds secrets.
    const form = '[{"id":"k1","key":"<at least 32 bytes in base64>"}]';
    throw new StartError({
      what: 'The keys that sign tokens cannot be read.',
      where: `${file} (PARLANCE_DATA_DIR)`,
      remedy: `Restore the file from a backup, or write it as ${form}.`,
    });
  }
}

async function readKeyFile(dataDir: string, file: string, hasSigned: boolean): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    if (hasSigned) throw missingKeys(file);
    return makeKeyFile(dataDir, file);
  }
}

async function makeKeyFile(dataDir: string, file: string): Promise<string> {
  const id = randomBytes(4).toString('hex');
  const text = JSON.stringify([{ id, key: randomBytes(48).toString('base64') }]);
  await makePrivateFolder(dataDir);
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncFolder(dataDir);
  return text;
}

function missingKeys(file: string): StartError {
  const id = randomBytes(4).toString('hex');
  return new StartError({
    what: 'The keys that signed the tokens of this database are missing; with a new key, all guests would lose their identity.',
    where: `${file} (PARLANCE_DATA_DIR)`,
    remedy:
      'Restore the file from a backup, or set PARLANCE_TOKEN_KEYS to the keys used before. To invalidate ' +
      `all tokens, create a new key: echo "[{\\"id\\":\\"${id}\\",\\"key\\":\\"$(openssl rand -base64 48)\\"}]" > ${file}`,
  });
}

function toKey(id: string, base64: string): TokenKey {
  const secret = Buffer.from(base64, 'base64');
  if (secret.length < 32) {
    throw new StartError({
      what: `The token key ${id} has fewer than 32 bytes.`,
      remedy: 'Create a key with: openssl rand -base64 48',
    });
  }
  return { id, secret };
}
