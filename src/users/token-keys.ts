import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

/** A key that signs or verifies tokens. */
export interface TokenKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

const KeyFile = z
  .array(z.object({ id: z.string().min(1), key: z.string().min(43) }))
  .min(1)
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length);

/** Reads keys given as `id:base64`; the first of them signs (P-2.7). */
export function parseTokenKeys(given: readonly string[]): TokenKey[] {
  return given.map((text) => {
    const colon = text.indexOf(':');
    return toKey(text.slice(0, colon), text.slice(colon + 1));
  });
}

/**
 * Loads the keys from the data folder; makes one at the first start, for this user alone (0600).
 *
 * The file holds `[{"id","key"}]`, newest first: put a new key in front to rotate, and take the
 * old one out when the last token it signed has expired.
 */
export async function loadTokenKeys(dataDir: string): Promise<TokenKey[]> {
  const file = join(dataDir, 'token-keys.json');
  await mkdir(dataDir, { recursive: true });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    text = await makeKeyFile(file);
  }
  try {
    return KeyFile.parse(JSON.parse(text)).map(({ id, key }) => toKey(id, key));
  } catch {
    // Nothing of the cause: JSON.parse quotes what it cannot read.
    const form = '[{"id":"k1","key":"<at least 32 bytes in base64>"}]';
    throw new Error(`${file} cannot be read as ${form}; mend it, or delete it.`);
  }
}

async function makeKeyFile(file: string): Promise<string> {
  const id = randomBytes(4).toString('hex');
  const text = JSON.stringify([{ id, key: randomBytes(48).toString('base64') }]);
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  return text;
}

function toKey(id: string, base64: string): TokenKey {
  const secret = Buffer.from(base64, 'base64');
  if (secret.length < 32) throw new Error(`The token key ${id} has fewer than 32 bytes.`);
  return { id, secret };
}
