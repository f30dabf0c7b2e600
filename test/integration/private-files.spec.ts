import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makeScratchFolder } from '../support/scratch-folder.js';
import { dropDatabase, freshDatabase, startServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

let env: Record<string, string>;
let folder: string;

beforeEach(async () => {
  folder = join(await makeScratchFolder(), 'data');
  env = await freshDatabase(folder);
});

afterEach(() => dropDatabase(env));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** Starts a server, makes it store data, and returns the modes of the files in its folder. */
async function modes(): Promise<Record<string, string>> {
  const server = await startServer(env);
  const ann = await connectClient('websocket', server.port, {});
  await ann.ok('room.join', { room: 'general' });
  const found: Record<string, string> = { '.': await modeOf(folder) };
  for (const name of await readdir(folder)) found[name] = await modeOf(join(folder, name));
  await ann.close();
  await server.stop();
  return found;
}

const PRIVATE = { '.': '700', files: '700', 'token-keys.json': '600' };
const DATABASE = {
  'parlance.db': '600',
  'parlance.db-shm': '600',
  'parlance.db-wal': '600',
  'parlance.db.lock': '600',
  'parlance.db.lock-journal': '600',
};
const EXPECTED =
  process.env['TEST_DATABASE'] === 'postgres' ? PRIVATE : { ...PRIVATE, ...DATABASE };

test('ls -l data: no other user of the machine can read the database, the keys or the files', async () => {
  expect(await modes()).toEqual(EXPECTED);
});

test('the folder of an earlier version (0755, database 0644) becomes private', async () => {
  await modes();
  for (const name of await readdir(folder)) {
    await chmod(join(folder, name), name === 'files' ? 0o755 : 0o644);
  }
  await chmod(folder, 0o755);
  expect(await modes()).toEqual(EXPECTED);
});

test('a folder that also contains other files keeps its mode', async () => {
  await mkdir(folder, { mode: 0o755 });
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'of somebody else'), '');
  expect(await modes()).toMatchObject({ '.': '755', 'token-keys.json': '600' });
});
