import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { decodeProtectedHeader } from 'jose';

import { Writer } from '#src/database/writer.js';

import { ChildServer } from '../support/child-server.js';
import { TestClient } from '../support/client.js';
import { dropDatabase, freshDatabase, startServer, type TestServer } from '../support/server.js';
import { makeKey } from '../support/tokens.js';
import { connectClient, openWire } from '../support/wire-transports.js';

interface StoredKey {
  readonly id: string;
  readonly key: string;
}

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.dispose());

const fileOf = ({ env }: TestServer) => join(env['PARLANCE_DATA_DIR'] ?? '', 'token-keys.json');

async function tokenFrom({ port }: TestServer, hello: object): Promise<string> {
  const client = await connectClient('websocket', port, { ...hello });
  const { token = '' } = client.welcome;
  await client.close();
  return token;
}

async function restart(keys?: readonly StoredKey[]): Promise<void> {
  await server.stop();
  if (keys !== undefined) await writeFile(fileOf(server), JSON.stringify(keys));
  const { dispose } = server;
  server = await startServer(server.env);
  const stop = server.dispose;
  server = {
    ...server,
    dispose: async () => {
      await stop();
      await dispose();
    },
  };
}

async function keysOf(current: TestServer): Promise<StoredKey[]> {
  return JSON.parse(await readFile(fileOf(current), 'utf8')) as StoredKey[];
}

test('only the user of the server can read the keys', async () => {
  const { mode } = await stat(fileOf(server));
  expect((mode & 0o777).toString(8)).toBe('600');
});

test('a restart keeps tokens valid', async () => {
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  const { token, user } = client.welcome;
  await client.close();
  await restart();
  const back = await connectClient('socket.io websocket', server.port, { token });
  expect(back.welcome.user).toEqual(user);
  await back.close();
});

test('a key put first signs, and the old key verifies until it is removed', async () => {
  const old = await tokenFrom(server, { name: 'ann' });
  const [first] = await keysOf(server);
  const [id = '', key = ''] = makeKey('newer').setting.split(':');
  await restart([{ id, key }, first as StoredKey]);
  const renewed = await tokenFrom(server, { token: old });
  expect(decodeProtectedHeader(renewed).kid).toBe('newer');
  await restart([{ id, key }]);
  expect(await tokenFrom(server, { token: renewed })).not.toBe('');
  const client = await TestClient.connect((one) => openWire('websocket', server.port, one));
  await client.expectError('hello', { protocol: 1, token: old }, 'token_invalid');
  await client.close();
});

test('keys given by the environment need no file', async () => {
  const [older, newer] = [makeKey('older'), makeKey('newer')];
  const other = await startServer({ PARLANCE_TOKEN_KEYS: older.setting });
  const token = await tokenFrom(other, { name: 'ann' });
  await other.stop();
  await expect(stat(fileOf(other))).rejects.toThrow('ENOENT');
  const keys = `${newer.setting},${older.setting}`;
  const rotated = await startServer({ ...other.env, PARLANCE_TOKEN_KEYS: keys });
  expect(decodeProtectedHeader(await tokenFrom(rotated, { token })).kid).toBe('newer');
  await rotated.dispose();
  await other.dispose();
});

/** Starts a server that refuses to start; returns the error. */
async function failedStart(env: Readonly<Record<string, string>>): Promise<string> {
  const child = new ChildServer(env);
  expect(await child.ended()).toEqual({ code: 1, signal: null });
  return child.stderr;
}

test('a missing token-keys.json beside an existing database stops the start, with advice', async () => {
  await server.stop();
  await rm(fileOf(server));
  expect(await failedStart(server.env)).toMatch(/token-keys\.json.*Restore the file/s);
  await expect(stat(fileOf(server))).rejects.toThrow('ENOENT');
  // The same keys from the environment are accepted.
  const other = await startServer({ ...server.env, PARLANCE_TOKEN_KEYS: makeKey('k2').setting });
  await other.stop();
});

test('a database of an earlier version, with users but without key ids, also needs its keys', async () => {
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  await client.ok('room.join', { room: 'general' });
  await client.close();
  await server.app.get(Writer).run([], ({ sql }) => sql.run('DELETE FROM token_keys'));
  await server.stop();
  await rm(fileOf(server));
  expect(await failedStart(server.env)).toContain('token-keys.json');
});

test('a start after a first start that created no key creates one', async () => {
  await server.app.get(Writer).run([], ({ sql }) => sql.run('DELETE FROM token_keys'));
  await server.stop();
  await rm(fileOf(server));
  const next = await startServer(server.env);
  expect(await keysOf(next)).toHaveLength(1);
  await next.stop();
});

const KEY = `{"id":"k","key":"${'a'.repeat(43)}"}`;

test.each(['', 'not JSON', '[]', '[{"id":"k","key":"c2hvcnQ="}]', `[${KEY},${KEY}]`])(
  'a file of keys that reads "%s" ends the start with what to do',
  async (contents) => {
    const env = await freshDatabase();
    const file = join(env['PARLANCE_DATA_DIR'] ?? '', 'token-keys.json');
    await writeFile(file, contents);
    const child = new ChildServer(env);
    expect(await child.ended()).toEqual({ code: 1, signal: null });
    expect(child.stderr).toContain('The keys that sign tokens cannot be read.');
    expect(child.stderr).toContain(file);
    expect(child.stderr).toContain('Restore the file from a backup');
    expect(await readFile(file, 'utf8')).toBe(contents);
    await dropDatabase(env);
  },
  60_000,
);
