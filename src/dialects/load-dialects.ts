import { importFiles } from '../config/import-files.js';
import { DialectSetupError, isDialect } from './define-dialect.js';
import type { Dialect } from './dialect.js';

const SETTING = 'PARLANCE_DIALECT_FILES';

/**
 * Loads the dialects that files export. The patterns are relative to `folder`.
 *
 * @throws DialectSetupError that names the invalid file or pattern
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
      const message = `The file ${file} exports no dialect; see docs/dialects.md for an example.`;
      throw new DialectSetupError(message);
    }
    dialects.push(...found);
  }
  return dialects;
}
