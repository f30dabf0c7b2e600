import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Sqlite } from '#src/database/sqlite.js';

// The compiled form of this file lies one folder deeper.
const IS_COMPILED = /\/dist\/test\/support\/[^/]+$/.test(import.meta.url);
const ROOT = fileURLToPath(new URL(IS_COMPILED ? '../../../' : '../../', import.meta.url));
const DIST = join(ROOT, 'dist');
const MAIN = join(DIST, 'main.js');
const CACHE = join(ROOT, 'node_modules', '.cache', 'parlance-server');
const PACK = join(CACHE, `programs-${process.version}.cjs`);
const BUILD_MS = 120_000;

const done = new Set<string>();

/** Builds the server and the client if the build is out of date. */
export function buildServer(): void {
  once('build', () => {
    if (isBuildStale()) execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: 'pipe' });
  });
}

/**
 * Builds the server, and returns the arguments of Node.js that run a program of the build.
 *
 * The program comes from one packed file, from which it starts in a third of the time, unless
 * `isPacked` is false.
 */
export function builtProgram(
  name: 'main' | 'bot-create' | 'verify',
  { isPacked = true } = {},
): string[] {
  buildServer();
  if (!isPacked) return [join(DIST, `${name}.js`)];
  packServer();
  return [join(ROOT, 'tools', 'run-packed.cjs'), PACK, name];
}

function packServer(): void {
  once('pack', () => {
    if (existsSync(PACK) && statSync(PACK).mtimeMs > statSync(MAIN).mtimeMs) return;
    execFileSync(process.execPath, [join(ROOT, 'tools', 'pack-server.js'), PACK], {
      stdio: 'pipe',
    });
  });
}

/** Runs a step once per process, and in one process at a time. */
function once(step: string, run: () => void): void {
  if (done.has(step)) return;
  mkdirSync(CACHE, { recursive: true });
  // The lock of SQLite: a second process waits, and a process that dies releases it.
  const lock = new Sqlite(join(CACHE, 'build.lock'), { timeout: BUILD_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    run();
    done.add(step);
  } finally {
    lock.close();
  }
}

function isBuildStale(): boolean {
  if (!existsSync(MAIN)) return true;
  const builtAt = statSync(MAIN).mtimeMs;
  return ['src', 'client'].some((folder) => isNewer(join(ROOT, folder), builtAt));
}

function isNewer(source: string, builtAt: number): boolean {
  if (!existsSync(source)) return false;
  const files = readdirSync(source, { recursive: true }) as string[];
  // The package of the client is built in a folder below its sources.
  const sources = files.filter((file) => file.endsWith('.ts') && !file.startsWith('dist'));
  return sources.some((file) => statSync(join(source, file)).mtimeMs > builtAt);
}
