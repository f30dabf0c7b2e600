// The import rules between folders; ESLint and test/architecture/layers.spec.ts apply them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the project. */
export const ROOT = fileURLToPath(new URL('../', import.meta.url));

const DOMAIN = ['protocol', 'config', 'database', 'store', 'limits', 'users', 'rooms', 'files'];
const BELOW_CHAT = [...DOMAIN, 'messages'];
const CHAT = ['chat/connections', 'chat/ports', 'chat/fan-out', 'chat/sessions', 'chat/commands'];
const CORE = [...BELOW_CHAT, 'chat'];

/**
 * The folders that each folder of src/ may import besides itself.
 *
 * The folders form a line: a folder imports only folders that stand before it. A file belongs to
 * the longest folder of this table that contains it; `chat` in a list includes `chat/commands`.
 */
export const LAYERS = {
  protocol: [],
  config: ['protocol'],
  bus: ['protocol'],
  database: ['protocol', 'config'],
  store: ['protocol', 'database'],
  limits: ['protocol', 'config', 'database'],
  users: ['protocol', 'config', 'database', 'store', 'limits'],
  rooms: ['protocol', 'config', 'database', 'store', 'limits', 'users'],
  files: ['protocol', 'config', 'database', 'store', 'limits', 'users', 'rooms'],
  messages: DOMAIN,
  'chat/connections': BELOW_CHAT,
  'chat/ports': [...BELOW_CHAT, 'chat/connections'],
  'chat/fan-out': [...BELOW_CHAT, 'chat/connections', 'chat/ports'],
  'chat/sessions': [...BELOW_CHAT, 'chat/connections', 'chat/ports', 'chat/fan-out'],
  'chat/commands': [
    ...BELOW_CHAT,
    'chat/connections',
    'chat/ports',
    'chat/fan-out',
    'chat/sessions',
  ],
  chat: [...BELOW_CHAT, ...CHAT],
  transports: ['protocol', 'config', 'limits', 'chat'],
  'bots/kit': ['protocol'],
  'bots/built-in': ['protocol', 'bots/kit'],
  'bots/standalone': ['protocol', 'bots/kit'],
  'bots/server/loading': ['protocol', 'config', 'bots/kit'],
  'bots/server/state': [...CORE, 'bots/kit'],
  'bots/server/roster': [...CORE, 'bots/kit', 'bots/built-in', 'bots/server/state'],
  'bots/server/dispatch': [...CORE, 'bots/kit', 'bots/server/state', 'bots/server/roster'],
  'bots/server/remote': [
    ...CORE,
    'bots/kit',
    'bots/server/state',
    'bots/server/roster',
    'bots/server/dispatch',
  ],
  bots: [...CORE, 'bots/kit', 'bots/built-in', 'bots/server'],
  'bots/testing': [...CORE, 'transports', 'bots', 'parlance.module.ts'],
  dialects: CORE,
  'dialects/built-in': ['protocol', 'dialects'],
  cluster: [...CORE, 'bus'],
  // HttpModule serves the HTTP pages of dialects without knowing a particular dialect.
  http: [...DOMAIN, 'chat', 'transports', 'dialects'],
  server: [...CORE, 'transports', 'bots', 'dialects', 'cluster', 'http', 'parlance.module.ts'],
};

const SOURCE = /\.(ts|js)$/;
/** Folders of copied packages and of build output. */
const EXCLUDED = /(^|\/)(vendor|dist)\//;
// `from '…'`, `import '…'`, `import('…')` (a type or not) and `require('…')`.
const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"`])([^'"`\n]+)\1/g;

/** Reads a file of the project. */
export function read(path) {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Returns every source file below a folder, sorted by path. */
export function sourcesIn(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => SOURCE.test(name) && !EXCLUDED.test(name))
    .map((name) => join(folder, name))
    .sort()
    .map((path) => ({ path, text: read(path) }));
}

/** Returns what a file imports: paths from the folder of the project, or names of packages. */
export function importsOf({ path, text }) {
  return [...text.matchAll(IMPORT)].map(([, , target = '']) => {
    if (/^#(src|client)\//.test(target)) return target.slice(1);
    if (!target.startsWith('.')) return target;
    return relative(ROOT, join(ROOT, dirname(path), target));
  });
}

/** Returns the entry of {@link LAYERS} that a path belongs to; the path in src/ if there is none. */
export function layerOf(path) {
  const inner = path.replace(/^src\//, '').replace(/\.js$/, '.ts');
  const layers = Object.keys(LAYERS).filter((layer) => inner.startsWith(`${layer}/`));
  return layers.sort((a, b) => b.length - a.length)[0] ?? inner;
}

/** Returns whether the layers allow a file of src/ to import a path. */
export function mayImport(path, target) {
  const [from, to] = [layerOf(path), layerOf(target)];
  if (from === to || !(from in LAYERS)) return true;
  return LAYERS[from].some((layer) => to === layer || to.startsWith(`${layer}/`));
}

/** Returns the groups of files that import each other in a circle, imports of types included. */
export function circlesIn(files) {
  const paths = new Set(files.map(({ path }) => path));
  const graph = new Map(
    files.map((file) => {
      const targets = importsOf(file).map((target) => target.replace(/\.js$/, '.ts'));
      return [file.path, targets.filter((target) => paths.has(target))];
    }),
  );
  return componentsOf(graph).filter((component) => component.length > 1);
}

/** Returns the strongly connected components of a graph (Tarjan). */
function componentsOf(graph) {
  const indices = new Map();
  const lows = new Map();
  const stack = [];
  const components = [];
  const visit = (node) => {
    indices.set(node, indices.size);
    lows.set(node, indices.get(node));
    stack.push(node);
    for (const next of graph.get(node)) {
      if (!indices.has(next)) visit(next);
      if (stack.includes(next)) lows.set(node, Math.min(lows.get(node), lows.get(next)));
    }
    if (lows.get(node) === indices.get(node)) {
      components.push(stack.splice(stack.indexOf(node)).sort());
    }
  };
  for (const node of graph.keys()) if (!indices.has(node)) visit(node);
  return components;
}

let circles;

/** The rules as a plugin of ESLint. */
export const eslintPlugin = {
  rules: {
    layers: {
      meta: { type: 'problem', schema: [] },
      create: (context) => {
        const path = relative(ROOT, context.filename);
        const check = ({ source }) => {
          if (source === null || source === undefined) return;
          const [target = ''] = importsOf({ path, text: `from '${source.value}'` });
          if (!target.startsWith('src/') || mayImport(path, target)) return;
          const allowed = LAYERS[layerOf(path)].join(', ') || 'none';
          const message = `${layerOf(path)}/ may import only these folders of src/: ${allowed}.`;
          context.report({ node: source, message });
        };
        return {
          ImportDeclaration: check,
          ExportNamedDeclaration: check,
          ExportAllDeclaration: check,
          TSImportType: check,
        };
      },
    },
    circles: {
      meta: { type: 'problem', schema: [] },
      create: (context) => ({
        Program: (node) => {
          circles ??= circlesIn([...sourcesIn('src'), ...sourcesIn('client')]);
          const path = relative(ROOT, context.filename);
          const circle = circles.find((paths) => paths.includes(path));
          if (circle === undefined) return;
          context.report({ node, message: `These files import each other: ${circle.join(', ')}.` });
        },
      }),
    },
  },
};
