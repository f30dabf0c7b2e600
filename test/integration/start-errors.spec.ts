import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

import { StartError } from '#src/config/start-error.js';
import { Sqlite } from '#src/database/sqlite.js';
import { runServer } from '#src/server/server.js';

import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { eventually } from '../support/eventually.js';
import { dropDatabase, freshDatabase, startServer } from '../support/server.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE_BYTES = 4_096;
const ON_SQLITE = process.env['TEST_DATABASE'] !== 'postgres';

let env: Record<string, string>;
let dataDir: string;

beforeEach(async () => {
  env = await freshDatabase();
  dataDir = env['PARLANCE_DATA_DIR'] ?? '';
});

afterEach(async () => {
  await ChildServer.killAll();
  await dropDatabase(env);
});

/** Starts a server in this process that cannot start; returns the line that `main.ts` prints. */
async function refusal(more: Readonly<Record<string, string>>): Promise<string> {
  const error: unknown = await runServer({ PORT: '0', HOST: '127.0.0.1', ...env, ...more }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StartError);
  const { message } = error as StartError;
  expect(message).not.toContain('\n');
  return message;
}

/** Starts a process that cannot start; returns what it prints on standard error. */
async function failure(more: Readonly<Record<string, string>>): Promise<string> {
  const server = new ChildServer({ ...env, ...more });
  expect(await server.ended()).toEqual({ code: 1, signal: null });
  // There are no log lines and no stack beside the one line.
  expect(server.stdout).toBe('');
  expect(server.stderr).not.toMatch(/\n\s+at /);
  expect(server.stderr.trimEnd().split('\n')).toHaveLength(1);
  return server.stderr;
}

/** Starts and stops a server, so that a database exists. */
async function runOnce(): Promise<void> {
  await (await startServer(env)).stop();
}

/** Records in the database that a migration of a later version has run. */
async function addMigration(name: string): Promise<void> {
  const values = `VALUES (9999999999999, '${name}')`;
  if (ON_SQLITE) {
    const database = new Sqlite(join(dataDir, 'parlance.db'));
    database.exec(`INSERT INTO migrations ("timestamp", name) ${values}`);
    database.close();
    return;
  }
  const client = new pg.Client(env['DATABASE_URL']);
  await client.connect();
  const schema = env['PARLANCE_DATABASE_SCHEMA'] ?? '';
  await client.query(`INSERT INTO "${schema}".migrations ("timestamp", name) ${values}`);
  await client.end();
}

describe('a failed start prints one line with the problem, the place and the advice', () => {
  test('if a file exists in place of a folder', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, 'x');
    const setting = ON_SQLITE ? 'PARLANCE_DATA_DIR' : 'PARLANCE_FILES_DIR';
    const line = await failure({ [setting]: file });
    expect(line).toContain('A file exists in place of the folder.');
    expect(line).toContain(`${file} (${setting})`);
    expect(line).toContain(`or set ${setting} to another folder.`);
  });

  test('if the files folder is not writable', async () => {
    const line = await failure({ PARLANCE_FILES_DIR: '/sys/parlance' });
    expect(line).toMatch(/^This user may not write to the folder\.|^The file system of the folder/);
    expect(line).toContain('/sys/parlance (PARLANCE_FILES_DIR)');
  });

  test('if the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const line = await failure({ PORT: String(port) });
    other.close();
    expect(line).toBe(
      `The port is in use. Where: port ${String(port)} (PORT) of 127.0.0.1 (HOST). ` +
        'Stop the program that listens on it, or set PORT to another port.\n',
    );
  });

  test('if this machine does not have the address', async () => {
    expect(await failure({ HOST: '192.0.2.77' })).toContain(
      'No network interface has the address. Where: port 0 (PORT) of 192.0.2.77 (HOST).',
    );
  });

  test('if a file of bots is missing', async () => {
    expect(await refusal({ PARLANCE_BOTS: './nothing.bot.js' })).toMatch(
      /^PARLANCE_BOTS names \.\/nothing\.bot\.js, but no file in .* matches it\. Fix it, or/,
    );
  });

  test('if a newer version has changed the database', async () => {
    await runOnce();
    await addMigration('AddEverything9999999999999');
    const line = await refusal({});
    expect(line).toContain('A newer version of Parlance has changed the database');
    expect(line).toContain('AddEverything9999999999999');
  });

  test.each([
    [
      'PARLANCE_ROOM_BOTS',
      'nosuch',
      /^PARLANCE_ROOM_BOTS names nosuch, .*remove it from PARLANCE_ROOM_BOTS/,
    ],
    ['PARLANCE_WITHOUT_BOTS', 'nosuch', /^PARLANCE_WITHOUT_BOTS names nosuch/],
  ])('if %s is %s', async (setting, value, line) => {
    expect(await failure({ [setting]: value })).toMatch(line);
  });

  test('if a link is dangling, as below a read-only mount', async () => {
    const link = join(dataDir, 'link');
    await symlink(join(dataDir, 'nowhere', 'data'), link);
    const setting = ON_SQLITE ? 'PARLANCE_DATA_DIR' : 'PARLANCE_FILES_DIR';
    expect(await failure({ [setting]: link })).toContain(`${link} (${setting})`);
  });

  test('if the key file is a folder', async () => {
    await mkdir(join(dataDir, 'token-keys.json'));
    expect(await failure({})).toContain('A folder exists in place of a file.');
  });

  test('if .env is a folder', async () => {
    buildServer();
    await mkdir(join(dataDir, '.env'));
    const main = join(ROOT, 'dist/main.js');
    const { status, stderr } = await run('sh', ['-c', `cd ${dataDir} && exec node ${main}`]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^The settings file cannot be read\. Where: .*\.env/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  if (ON_SQLITE) {
    test('if the database file is a folder', async () => {
      await mkdir(join(dataDir, 'parlance.db'));
      expect(await refusal({})).toContain('A folder exists in place of a file.');
    });

    test('if the database contains tables of another program', async () => {
      const other = new Sqlite(join(dataDir, 'parlance.db'));
      other.exec('CREATE TABLE users (a INTEGER)');
      other.close();
      expect(await refusal({})).toContain('The tables there are not those of Parlance');
    });

    test('if a table was dropped', async () => {
      await runOnce();
      const database = new Sqlite(join(dataDir, 'parlance.db'));
      database.exec('DROP TABLE reactions');
      database.close();
      expect(await refusal({})).toContain('no such table: reactions');
    });

    test('if the database is damaged', async () => {
      const file = join(dataDir, 'parlance.db');
      await writeFile(file, randomBytes(20_000));
      const line = await refusal({});
      expect(line).toContain('The database is damaged.');
      expect(line).toContain(`${file} (PARLANCE_DATA_DIR)`);
      expect(line).toContain('Restore a backup');
    });

    test('if a page of the database has flipped bits', async () => {
      await runOnce();
      const file = join(dataDir, 'parlance.db');
      const bytes = await readFile(file);
      // The header of the second page, which is the root of a table or an index.
      bytes.fill(0xff, PAGE_BYTES, PAGE_BYTES + 12);
      await writeFile(file, bytes);
      const line = await refusal({});
      expect(line).toContain('The database is damaged');
      expect(line).toContain(file);
      expect(line).toContain('Restore a backup');
    });

    test('if PostgreSQL is unreachable, without revealing the password of its URL', async () => {
      const line = await failure({ DATABASE_URL: 'postgres://u:secret@127.0.0.1:1/chat' });
      expect(line).toContain('PostgreSQL cannot be reached.');
      expect(line).toContain('127.0.0.1:1/chat (DATABASE_URL)');
      expect(line).not.toContain('secret');
    });

    test('if the process may open only 128 files', async () => {
      buildServer();
      const { status, stderr } = await run('sh', ['-c', 'ulimit -n 128; exec node dist/main.js']);
      expect(status).toBe(1);
      expect(stderr).toContain('The process may open only 128 files');
      expect(stderr).toContain('ulimit -n');
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    });
  } else {
    test.each([
      ['the database does not exist', '/no_such_database', 'The database does not exist.'],
      ['the user does not exist', '//nobody_of_this_name', 'refuses the user or password.'],
    ])('if %s', async (_, change, what) => {
      const url = new URL(env['DATABASE_URL'] ?? '');
      if (change.startsWith('//')) url.username = change.slice(2);
      else url.pathname = change;
      expect(await refusal({ DATABASE_URL: url.href })).toContain(what);
    });
  }
});

if (ON_SQLITE) {
  // Skips the script that builds, because other tests run the built files at the same time.
  const start = () =>
    spawn('npm', ['start', '--silent', '--ignore-scripts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...env, PORT: '0', HOST: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s to "npm start" stops the server in good order',
    async (signal) => {
      buildServer();
      const npm = start();
      let log = '';
      npm.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
      const closed = new Promise((resolve) => npm.stdout.once('close', resolve));
      await eventually(() => log.includes('"listening"'), 'the server to listen');
      npm.kill(signal);
      // The server holds the other end of the pipe, which closes when the server ends.
      await closed;
      expect(log).toContain('"stopping"');
    },
  );

  test('"npm start" without the build tools says what to run', async () => {
    const folder = join(dataDir, 'copy');
    await mkdir(join(folder, 'tools'), { recursive: true });
    const { status, stderr } = await run('sh', [
      '-c',
      `cp tools/prestart.js package.json ${folder}/tools/ && node ${folder}/tools/prestart.js`,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('The server is not built');
    expect(stderr).toContain('npm run build');
    expect(existsSync(join(folder, 'dist'))).toBe(false);
  });
}

function run(command: string, args: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stderr })));
}
