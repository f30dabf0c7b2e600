import { pathToFileURL } from 'node:url';

import { findFiles } from './find-files.js';

/** What a file exports. */
export interface ImportedFile {
  readonly file: string;
  readonly exports: readonly unknown[];
}

/**
 * Imports the files that the patterns of a setting name, from the folder that they are relative to.
 *
 * @throws `SetupError` that names the file or the pattern that is at fault
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
      throw new SetupError(`${setting} names ${pattern}, but no file in ${folder} fits it.`);
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

function adviceFor(why: string): string {
  if (!/'parlance'/.test(why)) return '';
  return '\nPut the file below the folder of Parlance, or install the package beside the file.';
}
