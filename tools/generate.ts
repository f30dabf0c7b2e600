// Writes what is derived from the sources, or with --check tells whether it is up to date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { stringify } from 'yaml';

import { envExample } from '../src/config/env-example.js';
import { AsyncApi } from './asyncapi.js';
import { schemaFiles } from './json-schemas.js';

const SCHEMAS = 'docs/schemas';

function derivedFiles(): Map<string, string> {
  const docs = readFileSync('docs/protocol.md', 'utf8');
  const asyncApi = stringify(new AsyncApi(docs).build(), {
    aliasDuplicateObjects: false,
    lineWidth: 100,
  });
  const files = new Map([
    ['.env.example', envExample()],
    ['docs/asyncapi.yaml', `# Made by \`npm run generate\`.\n${asyncApi}`],
  ]);
  for (const [name, schema] of schemaFiles()) {
    files.set(`${SCHEMAS}/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  return files;
}

function presentFiles(): string[] {
  const schemas = existsSync(SCHEMAS) ? readdirSync(SCHEMAS) : [];
  return schemas.map((name) => `${SCHEMAS}/${name}`);
}

const files = derivedFiles();
const leftOver = presentFiles().filter((path) => !files.has(path));
const differing = [...files].filter(
  ([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text,
);

if (process.argv.includes('--check')) {
  const stale = [...differing.map(([path]) => path), ...leftOver];
  for (const path of stale) console.error(`${path} is not up to date`);
  if (stale.length > 0) console.error('Run `npm run generate` and commit what it writes.');
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const path of leftOver) rmSync(path);
  for (const [path, text] of differing) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`wrote ${path}`);
  }
}
