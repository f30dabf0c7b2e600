import { importFiles } from '../config/import-files.js';
import { DialectSetupError, isDialect } from './define-dialect.js';
import type { Dialect } from './dialect.js';

const SETTING = 'PARLANCE_DIALECT_FILES';

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
  const files = importFiles(SETTING, patterns, folder, DialectSetupError);
  for await (const { file, exports } of files) {
    const found = exports.filter(isDialect);
    if (found.length === 0) {
      const message = `The file ${file} exports no dialect; docs/dialects.md shows one.`;
      throw new DialectSetupError(message);
    }
    dialects.push(...found);
  }
  return dialects;
}
