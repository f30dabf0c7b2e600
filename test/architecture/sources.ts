import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the project. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const SOURCE = /\.(ts|js)$/;
/** What was copied out of packages. */
const VENDOR = /(^|\/)vendor\//;
// `from '…'`, `import '…'`, `import('…')` (a type or not) and `require('…')`.
const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"`])([^'"`\n]+)\1/g;

/** A file of ours. */
export interface SourceFile {
  /** Path from the folder of the project. */
  readonly path: string;
  readonly text: string;
}

/** Reads a file of the project. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Gives every source file below a folder. */
export function sourcesIn(folder: string): SourceFile[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => SOURCE.test(name) && !VENDOR.test(name))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: read(path) }));
}

/** Gives what a file imports: paths from the folder of the project, or names of packages. */
export function importsOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(IMPORT)].map(([, , target = '']) => {
    if (/^#(src|client)\//.test(target)) return target.slice(1);
    if (!target.startsWith('.')) return target;
    return relative(ROOT, join(ROOT, dirname(path), target));
  });
}
