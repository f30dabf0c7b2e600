// Module hooks of Node.js that resolve imports to TypeScript sources and compile them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { version } = require('@swc/core/package.json');

const ROOT = new URL('../../', import.meta.url);
const COMPILED = new URL('node_modules/.cache/parlance-tests/', ROOT);

/** Imports of the package, and the sources that they resolve to. */
const SOURCES = [
  [/^#(src|client)\/(.*)\.js$/, './$1/$2.ts'],
  [/^parlance$/, './src/index.ts'],
  [/^parlance\/testing$/, './src/bots/testing/index.ts'],
];

mkdirSync(COMPILED, { recursive: true });
const settings = readFileSync(new URL('.swcrc', ROOT), 'utf8');

/** Resolves `x.js` to `x.ts`. */
export function resolve(specifier, context, next) {
  for (const [pattern, source] of SOURCES) {
    if (pattern.test(specifier)) return compiled(new URL(specifier.replace(pattern, source), ROOT));
  }
  if (!/^(\.{1,2}\/|file:)/.test(specifier)) return next(specifier, context);
  const url = new URL(specifier, context.parentURL);
  const source = new URL(url.href.replace(/\.js$/, '.ts'));
  const isSource = !existsSync(fileURLToPath(url)) && existsSync(fileURLToPath(source));
  return isSource ? compiled(source) : next(specifier, context);
}

/** Compiles a source, or reads it from the cache. */
export function load(url, context, next) {
  if (!/\.ts(\?|$)/.test(url)) return next(url, context);
  const filename = fileURLToPath(url);
  const code = readFileSync(filename, 'utf8');
  const hash = createHash('sha1').update(`${version}\0${settings}\0${filename}\0${code}`);
  const file = fileURLToPath(new URL(`${hash.digest('hex')}.mjs`, COMPILED));
  let source;
  try {
    source = readFileSync(file, 'utf8');
  } catch {
    // The compiler takes longer to load than a cached program.
    source = require('@swc/core').transformSync(code, { filename, sourceMaps: 'inline' }).code;
    // Atomic, because other workers read the file too.
    writeFileSync(`${file}.${process.pid}`, source);
    renameSync(`${file}.${process.pid}`, file);
  }
  return { format: 'module', source, shortCircuit: true };
}

function compiled(url) {
  return { url: url.href, format: 'module', shortCircuit: true };
}
