import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { OPTIONS } from '#src/config/options.js';

import { read, ROOT, sourcesIn } from '../../tools/import-graph.js';

/** Folders with documents, besides the root of the project. */
const FOLDERS = ['docs', 'client', 'bench', 'examples', 'src', 'test', 'tools', 'web'];
/** Documents that describe the code by its names. */
const ABOUT_THE_CODE = ['ARCHITECTURE.md', 'CONTRIBUTING.md', ...documentsIn('docs/decisions')];
/** Paths that exist after a build or a start only. */
const MADE = /^(dist|data|client\/dist|bench\/results)\//;

const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...FOLDERS.flatMap(documentsIn),
];
const sources = ['src', 'client', 'test', 'tools', 'web', 'bench', 'examples'].flatMap(sourcesIn);

function documentsIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** Returns the text of a document without its fenced blocks. */
function proseOf(path: string): string {
  return read(path).replace(/^```[^]*?^```$/gm, '');
}

/** Returns the anchors of a document, as GitHub derives them from the headings. */
function anchorsOf(path: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${String(count)}`;
  });
}

/** Returns the broken links of a document; links to other sites are not checked. */
function brokenLinksOf(path: string): string[] {
  const links = [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

/** Returns what a document sets as code, each once. */
function codeSpansOf(path: string): string[] {
  return [...new Set([...proseOf(path).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text))];
}

function exists(path: string): boolean {
  if (MADE.test(path)) return true;
  return ['', 'src/'].some((root) => {
    const full = join(ROOT, root, path);
    return existsSync(full) && (!path.endsWith('/') || statSync(full).isDirectory());
  });
}

/** Whether a class, function, type or constant of this name, with this member, is in the sources. */
function isDeclared(name: string, member?: string): boolean {
  const declaration = new RegExp(`\\b(class|interface|function|type|const|enum) ${name}\\b`);
  const has = member === undefined ? /(?:)/ : new RegExp(`^ +.*\\b${member}\\b`, 'm');
  return sources.some(({ text }) => declaration.test(text) && has.test(text));
}

/** Returns the names of paths, files, classes and members that the code does not have. */
function unknownNamesOf(path: string): string[] {
  return codeSpansOf(path).filter((span) => {
    if (/^\.?[\w@-][\w.-]*\/[\w./-]*$/.test(span)) return !exists(span);
    if (/^[\w.-]+\.(ts|js|md|json|html)$/.test(span)) {
      return !exists(span) && !sources.some((source) => source.path.endsWith(`/${span}`));
    }
    const [, name, member] = /^([A-Z]\w*[a-z]\w*)(?:\.(\w+))?$/.exec(span) ?? [];
    return path === 'ARCHITECTURE.md' && name !== undefined && !isDeclared(name, member);
  });
}

test.each(documents)('%s has no broken links', (path) => {
  expect(brokenLinksOf(path)).toEqual([]);
});

test.each(ABOUT_THE_CODE)('%s names only paths, classes and members that exist', (path) => {
  expect(unknownNamesOf(path)).toEqual([]);
});

test.each(documents)('%s names only settings and scripts that exist', (path) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
  const text = read(path);
  const settings = [...text.matchAll(/\bPARLANCE_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
  const commands = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name);

  expect(settings.filter((name) => !(name in OPTIONS))).toEqual([]);
  expect(commands.filter((name) => !(name in scripts))).toEqual([]);
});

test('ARCHITECTURE.md follows a message through at most 24 files', () => {
  const [, path = ''] = /^## One message[^]*?\n([^]*?)^## /m.exec(read('ARCHITECTURE.md')) ?? [];
  const files = new Set([...path.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, file]) => file));

  expect(files.size).toBeGreaterThan(10);
  expect(files.size).toBeLessThanOrEqual(24);
});
