import { readdir, stat } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';

const IS_PATTERN = /[*?]/;

/**
 * Finds the files that fit a pattern, sorted: `*` and `?` stand for what is in a name, `**` for
 * folders. None of them stands for a dot at the beginning, nor `**` for node_modules.
 */
export async function findFiles(pattern: string, folder: string): Promise<string[]> {
  const path = resolve(folder, pattern);
  const { root } = parse(path);
  const found = await walk(root, path.slice(root.length).split(sep));
  return [...new Set(found)].sort();
}

async function walk(folder: string, [part, ...rest]: readonly string[]): Promise<string[]> {
  if (part === undefined) return [];
  if (part === '**') return walkBelow(folder, rest);
  const names = IS_PATTERN.test(part) ? await namesIn(folder, toRegExp(part)) : [part];
  const found = names.map(async (name) => {
    const path = join(folder, name);
    if (rest.length > 0) return walk(path, rest);
    return (await isFile(path)) ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

async function walkBelow(folder: string, rest: readonly string[]): Promise<string[]> {
  const names = await namesIn(folder, /^(?!\.|node_modules$)/);
  const below = names.map((name) => walkBelow(join(folder, name), rest));
  return [...(await walk(folder, rest)), ...(await Promise.all(below)).flat()];
}

async function namesIn(folder: string, fits: RegExp): Promise<string[]> {
  // What is no folder, or may not be read, has nothing that fits.
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => fits.test(name));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function toRegExp(part: string): RegExp {
  const escaped = part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const start = part.startsWith('.') ? '' : '(?!\\.)';
  return new RegExp(`^${start}${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u');
}
