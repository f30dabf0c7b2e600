import { pathToFileURL } from 'node:url';

import { findFiles } from '../config/find-files.js';
import { DialectSetupError, isDialect } from './define-dialect.js';
import type { Dialect } from './dialect.js';

/**
 * Loads the dialects of the files that patterns name, from the folder that they are relative to.
 *
 * @throws DialectSetupError that names the file or the pattern that is at fault
 */
export async function loadDialects(
  patterns: readonly string[],
  folder: string,
): Promise<Dialect[]> {
  const dialects: Dialect[] = [];
  for (const pattern of patterns) {
    const files = await findFiles(pattern, folder);
    if (files.length === 0) {
      const message = `PARLANCE_DIALECT_FILES names ${pattern}, but no file in ${folder} fits it.`;
      throw new DialectSetupError(message);
    }
    for (const file of files) dialects.push(...(await loadFile(file)));
  }
  return dialects;
}

async function loadFile(file: string): Promise<Dialect[]> {
  const dialects = Object.values(await importFile(file)).filter(isDialect);
  if (dialects.length > 0) return dialects;
  throw new DialectSetupError(`The file ${file} exports no dialect; docs/dialects.md shows one.`);
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const message = `The file ${file} of PARLANCE_DIALECT_FILES cannot be loaded. ${why}`;
    throw new DialectSetupError(message, { cause });
  }
}
