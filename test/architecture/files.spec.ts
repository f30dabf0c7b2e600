import { basename } from 'node:path';

import { sourcesIn } from './sources.js';

const MAX_LINES = 300;
const VAGUE = /^(utils?|helpers?|types?|common|misc|shared)\b/;
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

test('every file is named after what it holds', () => {
  const vague = files.map(({ path }) => path).filter((path) => VAGUE.test(basename(path)));

  expect(vague).toEqual([]);
});
