// Runs the tests with Jest, and prints before and after them what this machine cannot run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const { TEST_DATABASE_URL: url, CI } = process.env;

/** Programs a machine may lack: whether they exist, the tests that need them, and the remedy. */
const NEEDS = [
  [url !== undefined, 'all tests on PostgreSQL', 'set TEST_DATABASE_URL=postgres://…'],
  [
    ['chromium-headless-shell', 'chromium'].some((name) => existsSync(`/usr/bin/${name}`)),
    'tests in a browser',
    'install chromium-headless-shell',
  ],
  [
    existsSync('/usr/sbin/nginx') && hasOpenssl(),
    'tests behind nginx',
    'install nginx and openssl',
  ],
  [existsSync('/usr/bin/caddy') && hasOpenssl(), 'tests behind Caddy', 'install caddy and openssl'],
  [
    hasOneOf('/usr/sbin/nats-server', '/usr/bin/nats-server'),
    'tests that restart NATS',
    'install nats-server',
  ],
  [
    hasOneOf('/usr/bin/redis-server', '/usr/local/bin/redis-server'),
    'tests that restart Redis',
    'install redis-server',
  ],
  [hasPostgresPrograms(), 'tests that restart PostgreSQL', 'install postgresql'],
  [hasPython(), 'programs in Python', 'install Python 3 and its package websockets'],
];
if (url !== undefined) {
  NEEDS.push([existsSync('/usr/sbin/pgbouncer'), 'tests behind pgbouncer', 'install pgbouncer']);
}
const missing = NEEDS.filter(([isPresent]) => !isPresent);

printSkipped();
const jest = new URL('../node_modules/jest/bin/jest.js', import.meta.url).pathname;
const args = process.argv.slice(2);
// Jest reads every argument after it as the name of a project, so it goes last.
const option = args.indexOf('--selectProjects');
if (option !== -1) args.push(...args.splice(option, 2));
const { status } = spawnSync(process.execPath, ['--no-warnings', jest, ...args], {
  stdio: 'inherit',
});
printSkipped();
process.exit(missing.length > 0 && CI !== undefined ? 1 : (status ?? 1));

function printSkipped() {
  for (const [, what, remedy] of missing) console.log(`SKIPPED: ${what}. To run them, ${remedy}.`);
}

function hasOneOf(...paths) {
  return paths.some((path) => existsSync(path));
}

function hasPostgresPrograms() {
  const folder = '/usr/lib/postgresql';
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((version) => existsSync(`${folder}/${version}/bin/initdb`));
}

function hasPython() {
  return ['python3', '/usr/bin/python3'].some(
    (python) => spawnSync(python, ['-c', 'import websockets'], { stdio: 'ignore' }).status === 0,
  );
}

function hasOpenssl() {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
}
