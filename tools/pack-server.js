// Packs the programs of dist/, with their packages, into one file: node tools/pack-server.js OUT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, execPath } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const RUN = join(ROOT, 'tools', 'run-packed.cjs');
const PROGRAMS = ['main', 'bot-create', 'verify'];
/** Packages with binaries, and packages that Nest and TypeORM load only where an app has them. */
const NOT_PACKED = [
  'sharp',
  'better-sqlite3',
  'better-sqlite3-12',
  'pg-native',
  '@nestjs/microservices',
  'class-transformer',
  'class-validator',
];
/** The drivers of TypeORM for other databases. */
const OTHER_DRIVERS = [
  '@google-cloud/spanner',
  '@sap/hana-client',
  'hdb-pool',
  'mongodb',
  'mssql',
  'mysql',
  'mysql2',
  'oracledb',
  'pg-query-stream',
  'react-native-sqlite-storage',
  'sql.js',
  'typeorm-aurora-data-api-driver',
];
/** An address of no machine, so that the server starts completely and then ends. */
const NOWHERE = '240.0.0.1';

const out = resolve(argv[2] ?? '');
const made = `${out}.new`;
await pack();
compileAhead();
renameSync(`${made}.compiled`, `${out}.compiled`);
renameSync(made, out);

async function pack() {
  const names = PROGRAMS.map((name) => `'${name}': () => import('./dist/${name}.js')`);
  await build({
    absWorkingDir: ROOT,
    stdin: { contents: `module.exports = { ${names.join(', ')} };`, resolveDir: ROOT },
    outfile: made,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifyWhitespace: true,
    // Nest and TypeORM print the names of classes.
    keepNames: true,
    legalComments: 'none',
    external: [...NOT_PACKED, ...OTHER_DRIVERS].flatMap((name) => [name, `${name}/*`]),
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(ROOT, 'dist/main.js')).href) },
    plugins: [{ name: 'own-urls', setup: keepUrls }],
    logLevel: 'error',
  });
}

/** Lets our own modules find files beside them, such as the page. */
function keepUrls({ onLoad }) {
  onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
    if (!path.startsWith(join(ROOT, 'dist/'))) return undefined;
    const url = JSON.stringify(pathToFileURL(path).href);
    return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url) };
  });
}

/** Starts the server once, after which V8 has compiled what a start needs; RUN stores it. */
function compileAhead() {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-pack-'));
  const env = { PARLANCE_DATA_DIR: folder, HOST: NOWHERE, PORT: '0', KEEP_COMPILED: '1' };
  const { stderr } = spawnSync(execPath, [RUN, made, 'main'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  if (!stderr.includes(NOWHERE)) throw new Error(`The packed server does not start: ${stderr}`);
}
