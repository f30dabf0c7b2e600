// Builds the server, the client and the conformance suite into dist/, and the page into web/dist/.
import { rm } from 'node:fs/promises';
import { chdir } from 'node:process';
import { fileURLToPath } from 'node:url';

import buildPage from './build-page.js';
import { compileFolder } from './compile.js';

chdir(fileURLToPath(new URL('../', import.meta.url)));
await rm('dist', { recursive: true, force: true });
await Promise.all([
  compileFolder('src', 'dist'),
  compileFolder('client', 'dist/client'),
  compileFolder('test/conformance', 'dist/test/conformance'),
  compileFolder('test/support', 'dist/test/support'),
  buildPage(),
]);
