import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { importsOf, ROOT, sourcesIn, type SourceFile } from './sources.js';

const DOMAIN = ['users', 'rooms', 'messages', 'files'];

/** What each folder of src/ may import of the others. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  config: ['protocol'],
  database: ['protocol', 'config'],
  users: ['protocol', 'config', 'database', ...DOMAIN],
  rooms: ['protocol', 'config', 'database', ...DOMAIN],
  messages: ['protocol', 'config', 'database', ...DOMAIN],
  files: ['protocol', 'config', 'database', ...DOMAIN],
  chat: ['protocol', 'config', 'database', ...DOMAIN],
  transports: ['protocol', 'config', 'chat'],
  bots: ['protocol', 'config', 'database', ...DOMAIN, 'chat'],
  dialects: ['protocol', 'config', 'database', ...DOMAIN, 'chat'],
  harness: [
    ...['protocol', 'config', 'database', 'users', 'chat', 'bots', 'transports', 'app.module.js'],
  ],
  http: ['protocol', 'config', 'database', 'users', 'files', 'chat', 'transports'],
};

/** Packages that move frames; the core knows none of them. */
const WIRE = /^(ws|socket\.io|engine\.io|@nestjs\/platform-)/;

/** Packages that the client loads when it is to connect by them. */
const LATER = ['ws', 'socket.io-client'];

const sources = sourcesIn('src');

/** Gives the folder of src/ that a path is in; the name of the file if it is in none. */
const layerOf = (path: string) => /^src\/([^/]+)/.exec(path)?.[1];
const isOurs = (target: string) => target.startsWith('src/');
const inLayer = (layer: string) => sources.filter(({ path }) => layerOf(path) === layer);

/** Lists the imports that break a rule, to be read in the failure of a test. */
function breaches(
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
  test('are all known here', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);

    expect(folders.sort()).toEqual(Object.keys(LAYERS).sort());
  });

  test.each(Object.entries(LAYERS))('%s imports only what is below it', (layer, below) => {
    const files = inLayer(layer);

    expect(files).not.toEqual([]);
    expect(
      breaches(files, (target) => {
        const to = layerOf(target);
        return !isOurs(target) || to === layer || below.includes(to ?? '');
      }),
    ).toEqual([]);
  });

  test('protocol uses zod and no other package', () => {
    expect(breaches(inLayer('protocol'), (target) => target === 'zod' || isOurs(target))).toEqual(
      [],
    );
  });

  test('nothing below the transports knows what carries frames', () => {
    const files = [...inLayer('chat'), ...DOMAIN.flatMap(inLayer), ...inLayer('database')];

    expect(breaches(files, (target) => !WIRE.test(target))).toEqual([]);
  });

  test('what bots run on, and programs of bots, know nothing of the server', () => {
    const below = (folder: string) => (target: string) =>
      !/^(src|client)\//.test(target) || target.startsWith('src/protocol/') || isIn(folder, target);
    const isIn = (folder: string, target: string) => target.startsWith(`src/bots/${folder}/`);
    const runtime = sourcesIn('src/bots/runtime');
    const remote = sourcesIn('src/bots/remote');
    const isForRemote = (target: string) =>
      target === 'client/index.js' || isIn('remote', target) || below('runtime')(target);

    expect([runtime, remote]).not.toContainEqual([]);
    expect(breaches(runtime, below('runtime'))).toEqual([]);
    expect(breaches(remote, isForRemote)).toEqual([]);
  });

  test('nothing but programs of bots imports the client', () => {
    const others = sources.filter(({ path }) => !/^src\/(bots\/remote|harness)\//.test(path));

    expect(breaches(others, (target) => !target.startsWith('client/'))).toEqual([]);
  });

  test('nothing of the server imports tests or tools', () => {
    expect(breaches(sources, (target) => !/^(test|tools|bench)\//.test(target))).toEqual([]);
  });
});

describe('what runs without the server', () => {
  test('client/ imports nothing but itself and the protocol', () => {
    const files = sourcesIn('client');
    const isAllowed = (target: string) => /^(client|src\/protocol)\//.test(target);

    expect(files).not.toEqual([]);
    expect(breaches(files, (target) => isAllowed(target) || LATER.includes(target))).toEqual([]);
  });

  test('examples/ import what is there for everybody', () => {
    const files = sourcesIn('examples');
    const isAllowed = (target: string) => /^(node:|parlance(\/(client|protocol))?$)/.test(target);

    expect(files).not.toEqual([]);
    expect(breaches(files, isAllowed)).toEqual([]);
  });
});

test('only programs read the environment', () => {
  const readers = sources.filter(({ text }) => /\bprocess\.env\b|'node:process'/.test(text));

  expect(readers.map(({ path }) => path)).toEqual(['src/bot-create.ts', 'src/main.ts']);
});
