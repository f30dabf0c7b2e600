import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';

import pg from 'pg';

import { readConfig } from '#src/config/config.js';
import { Sqlite } from '#src/database/sqlite.js';
import { loadTokenKeys } from '#src/users/token-keys.js';
import { welcomeText } from '#src/server/welcome-text.js';

import { ChildServer, type LogLine } from '../support/child-server.js';
import { requestEverything, sendEverything } from '../support/send-everything.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { makeKey } from '../support/tokens.js';
import { connectClient, WIRE_TRANSPORTS } from '../support/wire-transports.js';

const TEST_MS = 60_000;
const DEBUG = 20;
const ERROR = 50;
/** Text that the database is made to refuse. */
const POISON = 'poison';

/** What every secret begins with: not even a part of one may be told. */
const MARK = 'canary';

const newWord = () => `${MARK}${randomBytes(12).toString('hex')}`;

let env: Record<string, string>;

beforeEach(async () => {
  env = await freshDatabase();
});

afterEach(async () => {
  await ChildServer.killAll();
  await dropDatabase(env);
});

/** Puts a password into the URL of the database, if there is one and it has none. */
function withPassword(): Record<string, string> {
  const { DATABASE_URL: given } = env;
  if (given === undefined) return env;
  const url = new URL(given);
  if (url.password === '') url.password = newWord();
  return { ...env, DATABASE_URL: url.href };
}

/** Has the database refuse some texts by a rule that the server knows nothing of. */
async function poison(): Promise<void> {
  const { DATABASE_URL: url, PARLANCE_DATABASE_SCHEMA: schema, PARLANCE_DATA_DIR: dir } = env;
  if (url === undefined) {
    const database = new Sqlite(join(dir ?? '', 'parlance.db'));
    for (const change of ['INSERT', 'UPDATE']) {
      database.exec(`CREATE TRIGGER poison_${change} BEFORE ${change} ON messages
        WHEN new.text LIKE '%${POISON}%' BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    }
    database.close();
    return;
  }
  const client = new pg.Client(url);
  await client.connect();
  const check = `CHECK (text NOT LIKE '%${POISON}%')`;
  await client.query(`ALTER TABLE "${schema ?? ''}".messages ADD CONSTRAINT poison ${check}`);
  await client.end();
}

/** Sends and edits what the database refuses; gives the ids of the failures. */
async function fail(port: number, word: string): Promise<string[]> {
  const room = 'failing';
  const client = await connectClient('websocket', port, { name: 'eve' });
  await client.ok('room.join', { room, create: true });
  const { message } = await client.ok('message.send', { room, text: word });
  const text = `${POISON} ${word}`;
  const errors = [
    await client.expectError('message.send', { room, text, cid: word }, 'internal'),
    await client.expectError('message.edit', { room, message: message.id, text }, 'internal'),
  ];
  await client.close();
  return errors.map(({ details }) => String(details?.['incident']));
}

/** Parses the log; every line must be a log entry. */
function linesOf({ stdout }: ChildServer): LogLine[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => {
    expect(line).toMatch(/^\{.*\}$/);
    const entry = JSON.parse(line) as LogLine;
    expect(entry).toMatchObject({
      level: expect.any(Number) as number,
      time: expect.any(Number) as number,
      msg: expect.any(String) as string,
    });
    return entry;
  });
}

/** Returns the lines that contain a secret. */
function leaks({ stdout, stderr }: ChildServer, secrets: readonly string[] = []): string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => [MARK, ...secrets].some((secret) => line.includes(secret)));
}

test(
  'the log contains events and failures, but no texts, tokens, keys or passwords',
  async () => {
    const word = newWord();
    const key = makeKey('k1');
    const settings = {
      ...withPassword(),
      PARLANCE_LOG_LEVEL: 'trace',
      PARLANCE_TOKEN_KEYS: key.setting,
    };
    // Its stacks name files.
    const server = await ChildServer.start(settings, false);
    const tokens: string[] = [];
    for (const transport of WIRE_TRANSPORTS) {
      tokens.push(...(await sendEverything(transport, { port: server.port, word })));
    }
    await requestEverything({ port: server.port, word });
    await poison();
    const incidents = await fail(server.port, word);
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });

    expect(tokens.every((token) => token.split('.').length === 3)).toBe(true);
    const parts = tokens.flatMap((token) => token.split('.').slice(1));
    expect(leaks(server, [key.setting.slice('k1:'.length), ...parts])).toEqual([]);
    expect(server.stderr).toBe(
      welcomeText(
        { address: '127.0.0.1', family: 'IPv4', port: server.port },
        readConfig(settings),
      ),
    );
    const lines = linesOf(server);
    const errors = lines.filter(({ level }) => level >= ERROR);
    expect(errors.map((line) => line['incident'])).toEqual(incidents);
    for (const { err, cmd } of errors as (LogLine & { err: Record<string, unknown> })[]) {
      expect(cmd).toMatch(/^message\.(send|edit)$/);
      expect(err).toMatchObject({ message: expect.any(String) as string });
      expect(err['stack']).toContain('messages.service');
    }
    const opened = lines.filter(({ msg }) => msg === 'opened');
    const closed = lines.filter(({ msg }) => msg === 'closed');
    expect(opened.length).toBeGreaterThan(WIRE_TRANSPORTS.length);
    expect(closed).toHaveLength(opened.length);
    expect(closed.every(({ level }) => level === DEBUG)).toBe(true);
  },
  TEST_MS,
);

/** Invalid settings that contain secrets. */
const WRONG: Record<string, () => Record<string, string>> = {
  'an unsupported database and unknown settings': () => ({
    DATABASE_URL: `mysql://ann:${newWord()}@db/chat`,
    PARLANCE_TOKEN_KEY: `k1:${newWord().repeat(2)}`,
    PARLANCE_DATABASE_PASSWORD: newWord(),
  }),
  'an invalid port and a key without an id': () => ({
    DATABASE_URL: `postgres://ann:${newWord()}@db:port/chat`,
    PARLANCE_TOKEN_KEYS: newWord().repeat(3),
  }),
  'a password that is not encoded and a key that is too short': () => ({
    DATABASE_URL: `postgres://ann:%ZZ${newWord()}@127.0.0.1:1/chat`,
    PARLANCE_TOKEN_KEYS: `k1:${newWord().repeat(2)},k2:${newWord()}`,
  }),
  'an unreachable database': () => ({
    DATABASE_URL: `postgres://ann:${newWord()}@127.0.0.1:1/chat`,
  }),
};

test.each(Object.entries(WRONG))(
  'a start with %s fails without revealing a secret',
  async (_, settings) => {
    const server = new ChildServer({ ...env, PARLANCE_LOG_LEVEL: 'trace', ...settings() });
    expect(await server.ended()).toEqual({ code: 1, signal: null });
    expect(server.stderr).not.toBe('');
    expect(leaks(server)).toEqual([]);
  },
  TEST_MS,
);

test.each([
  ['is not quoted', (key: string) => `[{"id":"k1","key":${key}}]`],
  ['is cut off', (key: string) => `[{"id":"k1","key":"${key}`],
  ['stands alone', (key: string) => key],
  ['is too short', (key: string) => `[{"id":"k1","key":"${key}"}]`],
])('the error about a key file whose key %s does not contain the key', async (_, contents) => {
  const dir = env['PARLANCE_DATA_DIR'] ?? '';
  await writeFile(join(dir, 'token-keys.json'), contents(newWord()));
  const failure: unknown = await loadTokenKeys(dir, false).catch((error: unknown) => error);
  // As Node shows an uncaught error, with all its causes.
  const shown = inspect(failure, { depth: null });
  expect(shown).toContain('StartError');
  expect(shown).not.toContain(MARK);
});
