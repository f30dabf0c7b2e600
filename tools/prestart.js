// Builds the server before `npm start`, if the build tools are installed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pathOf = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

if (existsSync(pathOf('node_modules/@swc/core'))) {
  const { status } = spawnSync('npm run --silent build', {
    cwd: pathOf('.'),
    shell: true,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
if (!existsSync(pathOf('dist/main.js'))) {
  process.stderr.write(
    'The server is not built, and the tools to build it are not installed. ' +
      'Run "npm ci && npm run build", then "npm start"; ' +
      '"npm prune --omit=dev" removes the tools afterwards.\n',
  );
  process.exit(1);
}
