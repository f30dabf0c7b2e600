// Builds the page of web/ into web/dist/: one script with the client in it, and the other files.
import { copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCE = join(ROOT, 'web');
const TARGET = join(SOURCE, 'dist');
const COPIED = /\.(html|css|svg)$/;

/** Builds the page. A server may be serving it meanwhile: each file is replaced at once. */
export default async function buildPage() {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['web/chat.js'],
    alias: { 'parlance-client': './client/index.ts' },
    outdir: 'web/dist',
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    sourcemap: true,
    write: false,
  });
  await mkdir(TARGET, { recursive: true });
  const copied = (await readdir(SOURCE)).filter((name) => COPIED.test(name));
  await Promise.all([
    ...outputFiles.map(({ path, contents }) => replace(path, (to) => writeFile(to, contents))),
    ...copied.map((name) => replace(join(TARGET, name), (to) => copyFile(join(SOURCE, name), to))),
  ]);
}

async function replace(path, write) {
  const temporary = `${path}.${String(process.pid)}`;
  await write(temporary);
  await rename(temporary, path);
}
