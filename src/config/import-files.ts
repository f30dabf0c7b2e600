import { stat } from 'node:fs/promises';
import { normalize, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { glob } from 'tinyglobby';

/** The values that a file exports. */
export interface ImportedFile {
  readonly file: string;
  readonly exports: readonly unknown[];
}

/**
 * Imports the files that match the patterns of a setting, which are relative to a folder.
 *
 * @throws `SetupError` that names the pattern without a file, or the file that cannot be loaded
 */
export async function* importFiles(
  setting: string,
  patterns: readonly string[],
  folder: string,
  SetupError: new (message: string, options?: ErrorOptions) => Error,
): AsyncGenerator<ImportedFile> {
  for (const pattern of patterns) {
    const files = await findFiles(pattern, folder);
    if (files.length === 0) {
      throw new SetupError(`${setting} names ${pattern}, but no file in ${folder} matches it.`);
    }
    for (const file of files) yield { file, exports: await importFile(file) };
  }

  async function importFile(file: string): Promise<unknown[]> {
    try {
      return Object.values((await import(pathToFileURL(file).href)) as Record<string, unknown>);
    } catch (cause) {
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      const message = `The file ${file} of ${setting} cannot be loaded. ${why}${adviceFor(why)}`;
      throw new SetupError(message, { cause });
    }
  }
}

/**
 * Returns the paths of the files that match a glob pattern, sorted.
 *
 * `*` and `**` match no names with a leading dot, and `**` does not match `node_modules`.
 */
export async function findFiles(pattern: string, folder: string): Promise<string[]> {
  const path = resolve(folder, pattern);
  // A path may have characters that are special in patterns.
  if (await isFile(path)) return [path];
  const skipsPackages = pattern.includes('**') && !pattern.includes('node_modules');
  const found = await glob(pattern.replaceAll(sep, '/'), {
    cwd: folder,
    absolute: true,
    expandDirectories: false,
    ignore: skipsPackages ? ['**/node_modules/**'] : [],
  });
  return found.map(normalize).sort();
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function adviceFor(why: string): string {
  if (!/'parlance'/.test(why)) return '';
  return '\nPut the file below the folder of Parlance, or install the package beside the file.';
}
