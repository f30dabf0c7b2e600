// Runs the tests on SQLite, then those of the wire and of the storage once more on PostgreSQL.
import { spawnSync } from 'node:child_process';

const jest = new URL('../node_modules/jest/bin/jest.js', import.meta.url).pathname;
const ON_BOTH = ['test/conformance', 'test/integration'];
const args = process.argv.slice(2);

function run(paths, environment) {
  const { status } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', jest, ...paths, ...args],
    { stdio: 'inherit', env: { ...process.env, ...environment } },
  );
  return status ?? 1;
}

const { TEST_DATABASE_URL: url, CI } = process.env;
const onSqlite = run([], { TEST_DATABASE: 'sqlite' });
if (url === undefined) {
  console.log('\nPostgreSQL: SKIPPED. Set TEST_DATABASE_URL to run these tests on it too.');
  process.exit(CI === undefined ? onSqlite : 1);
}
console.log('\nOnce more on PostgreSQL:');
const onPostgres = run(ON_BOTH, { TEST_DATABASE: 'postgres' });
process.exit(onSqlite || onPostgres);
