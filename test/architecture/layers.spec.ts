import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import {
  circlesIn,
  importsOf,
  LAYERS,
  mayImport,
  ROOT,
  sourcesIn,
  type SourceFile,
} from '../../tools/import-graph.js';

/** Packages that move frames; the core imports none of them. */
const WIRE = /^(ws|socket\.io|engine\.io|@nestjs\/platform-)/;

const sources = sourcesIn('src');

const isOurs = (target: string) => target.startsWith('src/');
const inLayer = (layer: string) => sources.filter(({ path }) => path.startsWith(`src/${layer}/`));

/** Lists the imports that break a rule, for the message of a failed test. */
function forbiddenImports(
  files: readonly SourceFile[],
  isAllowed: (target: string) => boolean,
): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !isAllowed(target))
      .map((target) => `${file.path} imports ${target}`),
  );
}

describe('layers of src/', () => {
  test('are all in the table', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const layers = new Set(Object.keys(LAYERS).map((layer) => layer.split('/')[0]));

    expect(folders.sort()).toEqual([...layers].sort());
  });

  test.each(Object.keys(LAYERS))('%s imports only what is below it', (layer) => {
    const files = inLayer(layer);
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => isOurs(target) && !mayImport(file.path, target))
        .map((target) => `${file.path} imports ${target}`),
    );

    expect(files).not.toEqual([]);
    expect(wrong).toEqual([]);
  });

  test('form a line', () => {
    const order = Object.keys(LAYERS);
    const later = order.filter((layer, at) =>
      LAYERS[layer]?.some((below) => order.indexOf(below) >= at),
    );

    expect(later).toEqual([]);
  });

  test('no files import each other in a circle', () => {
    expect(circlesIn([...sourcesIn('src'), ...sourcesIn('client')])).toEqual([]);
  });

  test('protocol uses zod and no other package', () => {
    expect(
      forbiddenImports(inLayer('protocol'), (target) => target === 'zod' || isOurs(target)),
    ).toEqual([]);
  });

  test('the client of a bus is loaded only if that bus is chosen', () => {
    const isStatic =
      /^(import|export)[^;]* from '(redis|@nats-io\/[^']+|[^']*\/(nats|redis|postgres)\.driver\.js)'/m;
    const loading = sources.filter(({ text }) => isStatic.test(text)).map(({ path }) => path);

    expect(loading).toEqual(['src/bus/nats.driver.ts', 'src/bus/redis.driver.ts']);
  });

  test('nothing below the transports imports a package that moves frames', () => {
    const files = [
      ...inLayer('chat'),
      ...['store', 'limits', 'users', 'rooms', 'files', 'messages'].flatMap(inLayer),
      ...inLayer('database'),
    ];

    expect(forbiddenImports(files, (target) => !WIRE.test(target))).toEqual([]);
  });

  test('only bot programs import the client', () => {
    const others = sources.filter(({ path }) => !/^src\/bots\/(standalone|testing)\//.test(path));

    expect(forbiddenImports(others, (target) => !target.startsWith('client/'))).toEqual([]);
  });

  test('the server imports no tests or tools', () => {
    expect(forbiddenImports(sources, (target) => !/^(test|tools|bench)\//.test(target))).toEqual(
      [],
    );
  });
});

describe('code that runs without the server', () => {
  test('client/ imports only itself and the protocol', () => {
    const files = sourcesIn('client');
    const isAllowed = (target: string) => /^(client|src\/protocol)\//.test(target);

    expect(files).not.toEqual([]);
    expect(forbiddenImports(files, isAllowed)).toEqual([]);
  });

  test('examples/ import only public entry points', () => {
    const files = sourcesIn('examples');
    const isAllowed = (target: string) => /^(node:|parlance(\/(client|protocol))?$)/.test(target);

    expect(files).not.toEqual([]);
    expect(forbiddenImports(files, isAllowed)).toEqual([]);
  });
});

test('only programs read the environment', () => {
  const readers = sources.filter(({ text }) => /\bprocess\.env\b|'node:process'/.test(text));

  expect(readers.map(({ path }) => path)).toEqual([
    'src/bot-create.ts',
    'src/main.ts',
    'src/verify.ts',
  ]);
});
