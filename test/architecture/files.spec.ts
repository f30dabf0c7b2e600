import { basename } from 'node:path';

import { sourcesIn } from '../../tools/import-graph.js';

const MAX_LINES = 400;
const VAGUE = /^(utils?|helpers?|types?|common|misc|shared)\b/;
/** A class whose name has the suffix of services. */
const SERVICE = /^export (abstract )?class \w+Service\b/m;
// The table of commands grows with the protocol.
const MAY_BE_LONG = ['src/chat/chat.gateway.ts'];

const files = ['src', 'client', 'examples', 'test', 'tools', 'bench', 'web'].flatMap(sourcesIn);

test(`no file has more than ${String(MAX_LINES)} lines`, () => {
  const long = files
    .filter(({ path }) => !MAY_BE_LONG.includes(path))
    .map(({ path, text }) => `${path}: ${String(text.trimEnd().split('\n').length)}`)
    .filter((entry) => Number(entry.split(': ')[1]) > MAX_LINES);

  expect(long).toEqual([]);
});

test('no file has a vague name', () => {
  const vague = files.map(({ path }) => path).filter((path) => VAGUE.test(basename(path)));

  expect(vague).toEqual([]);
});

test('a file is called *.service.ts if it holds a service class, and only then', () => {
  const wrong = files
    .filter(({ path }) => path.startsWith('src/'))
    .filter(({ path, text }) => path.endsWith('.service.ts') !== SERVICE.test(text))
    .map(({ path }) => path);

  expect(wrong).toEqual([]);
});
