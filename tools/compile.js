// Compiles TypeScript with swc, file by file: node tools/compile.js --out FOLDER SOURCE...
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

import { transformFile } from '@swc/core';

/** Folders below a source folder that hold no sources. */
const IGNORED = /(^|\/)(dist|node_modules)\//;
const SOURCE = /(?<!\.d|\.spec)\.(ts|js)$/;

/** Compiles the sources of a folder into another folder, with source maps. */
export async function compileFolder(from, to) {
  const names = await readdir(from, { recursive: true });
  const sources = names.filter((name) => SOURCE.test(name) && !IGNORED.test(name));
  await Promise.all(
    sources.map((name) => compileFile(join(from, name), join(to, name.replace(SOURCE, '.js')))),
  );
}

async function compileFile(source, target) {
  const sourceFileName = relative(dirname(target), source);
  const { code, map } = await transformFile(source, { sourceFileName });
  const name = target.slice(dirname(target).length + 1);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, `${code}//# sourceMappingURL=${name}.map\n`);
  await writeFile(`${target}.map`, map);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [option, out, ...folders] = argv.slice(2);
  if (option !== '--out' || folders.length === 0) {
    throw new Error('Usage: node tools/compile.js --out FOLDER SOURCE...');
  }
  await Promise.all(folders.map((folder) => compileFolder(folder, join(out, folder))));
}
