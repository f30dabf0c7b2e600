// Runs a program of `src/` from its source in a child process, as it runs when built.
import { existsSync } from 'node:fs';
import { register } from 'node:module';

const program = process.argv[1] ?? '';
if (program.endsWith('.program.js') && !existsSync(program)) {
  register('./source-hooks.js', import.meta.url);
}
