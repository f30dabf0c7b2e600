// Runs the tests: on SQLite, and those of the wire and of the storage on PostgreSQL at the same time.
import { spawnSync } from 'node:child_process';

const jest = new URL('../node_modules/jest/bin/jest.js', import.meta.url).pathname;
const { status } = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', jest, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);

const { TEST_DATABASE_URL: url, CI } = process.env;
if (url === undefined) {
  console.log('\nPostgreSQL: SKIPPED. Set TEST_DATABASE_URL to run these tests on it too.');
}
process.exit(url === undefined && CI !== undefined ? 1 : (status ?? 1));
