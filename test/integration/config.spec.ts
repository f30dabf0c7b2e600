import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { ConfigError, readConfig } from '#src/config/config.js';
import { DIALECT_NAMES } from '#src/config/dialect-names.js';
import { envExample } from '#src/config/env-example.js';
import { OPTIONS } from '#src/config/options.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';

import { ChildServer } from '../support/child-server.js';

const KEY = 'a'.repeat(43);
const EXAMPLE = new URL('../../.env.example', import.meta.url);

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('.env.example', () => {
  test('is what the options say; `npm run generate` writes it', () => {
    expect(readFileSync(EXAMPLE, 'utf8')).toBe(envExample());
  });

  test('has each option once', () => {
    const names = envExample().match(/^#[A-Z_]+(?==)/gm);
    expect(names?.map((name) => name.slice(1)).sort()).toEqual(Object.keys(OPTIONS).sort());
  });

  test('gives the defaults when all of it is taken in', () => {
    const env = parseEnv(envExample().replace(/^#(?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(env)).toHaveLength(Object.keys(OPTIONS).length);
    expect(readConfig(env as Record<string, string>)).toEqual(readConfig({}));
  });
});

describe('the settings', () => {
  test('have defaults for everything', () => {
    const config = readConfig({});
    expect(config.limits).toEqual(DEFAULT_LIMITS);
    expect(config).toMatchObject({ port: 3000, dataDir: 'data', defaultRoom: 'general' });
    expect(config).toMatchObject({ databaseUrl: undefined, origins: undefined, trustProxy: [] });
  });

  test('are read from their variables; an empty one is not set', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '',
      PARLANCE_ORIGINS: 'https://a.example, https://b.example:8443',
      PARLANCE_TRUST_PROXY: 'loopback,10.0.0.0/8',
      PARLANCE_LIMIT_TEXT_CHARS: '10',
    });
    expect(config.port).toBe(0);
    expect(config.host).toBeUndefined();
    expect(config.origins).toEqual(['https://a.example', 'https://b.example:8443']);
    expect(config.trustProxy).toEqual(['loopback', '10.0.0.0/8']);
    expect(config.limits.textChars).toBe(10);
  });

  test('have all dialects on, some of them, or none', () => {
    const dialects = (names: string) => readConfig({ PARLANCE_DIALECTS: names }).dialects;
    expect(dialects('')).toEqual(DIALECT_NAMES);
    expect(dialects('rooms, broadcast')).toEqual(['rooms', 'broadcast']);
    expect(dialects('none')).toEqual([]);
  });

  test.each([
    ['PORT', 'http', 'give a port as a whole number'],
    ['PORT', '70000', 'give a port from 0 to 65535'],
    ['DATABASE_URL', 'mysql://db/chat', 'give a URL that begins with postgres://'],
    ['DATABASE_URL', 'postgres://ann:50%@db/chat', 'write what is special in a user or a password'],
    ['DATABASE_URL', 'postgres://ann:a/b@db/chat', 'write what is special in a user or a password'],
    ['PARLANCE_DATABASE_SCHEMA', 'Chat-1', 'give a plain lower-case name'],
    ['PARLANCE_ORIGINS', 'https://a.example/chat', 'give origins such as'],
    ['PARLANCE_ORIGINS', ',', 'give one at least, or leave it out'],
    ['PARLANCE_TRUST_PROXY', ' , ', 'give one at least, or leave it out'],
    ['PARLANCE_TOKEN_KEYS', 'k1:short', 'give id:key with a key of at least 32 bytes in base64'],
    ['PARLANCE_TOKEN_KEYS', ',', 'give one at least, or leave it out'],
    ['PARLANCE_TOKEN_KEYS', `k1:${KEY},k1:${KEY}`, 'give each key an id of its own'],
    ['PARLANCE_TOKEN_SECONDS', '0', 'give seconds greater than 0'],
    ['PARLANCE_LEGACY_HISTORY', '5001', 'give messages up to 5000'],
    ['PARLANCE_DEFAULT_ROOM', 'no spaces', 'give 1 to 64 letters, digits'],
    ['PARLANCE_DIALECTS', 'livechat,irc', 'give some of livechat, rooms, simple-chat,'],
    ['PARLANCE_DIALECTS', 'none,rooms', 'give some of livechat, rooms, simple-chat,'],
    ['PARLANCE_PAGES_DIR', '/nowhere', 'give a folder that is there'],
    ['PARLANCE_PAGES_CSP', "default-src 'none'\r\nX: y", 'give a Content-Security-Policy in one'],
    ['PARLANCE_LOG_LEVEL', 'loud', 'expected one of "fatal"'],
    ['PARLANCE_LIMIT_TEXT_CHARS', 'many', 'give a limit as a whole number'],
    ['PARLANCE_LIMIT_TEXT_CHARS', '0', 'give a limit greater than 0'],
  ])('refuse %s=%s and say what to give', (name, value, advice) => {
    const [problem, ...others] = problemsOf({ [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}\\b`));
    expect(problem).toContain(advice);
    expect(others).toEqual([]);
  });

  test.each([
    ['PARLANCE_LIMIT_TEXT_CHAR', 'use PARLANCE_LIMIT_TEXT_CHARS'],
    ['PARLANCE_DATADIR', 'use PARLANCE_DATA_DIR'],
    ['PARLANCE_FAVOURITE_COLOUR', 'see .env.example'],
  ])('refuse the unknown %s and say: %s', (name, advice) => {
    const [problem] = problemsOf({ [name]: '1' });
    expect(problem).toContain(`${name}: is no setting`);
    expect(problem).toContain(advice);
  });

  test('are listed with all that is wrong at once', () => {
    const env = { PORT: 'http', PARLANCE_LOG_LEVEL: 'loud', PARLANCE_DATADIR: '/tmp' };
    expect(problemsOf(env)).toHaveLength(3);
  });

  test('leave the variables of others alone', () => {
    expect(problemsOf({ PATH: '/bin', PARLANCES: '1', DATABASE_POOL: '3' })).toEqual([]);
  });
});

test('a server with wrong settings ends with 1 and tells all of them', async () => {
  const server = new ChildServer({ PORT: 'http', PARLANCE_DATADIR: '/nowhere' });
  expect(await server.ended()).toEqual({ code: 1, signal: null });
  expect(server.stdout).toBe('');
  expect(server.stderr).toContain('The configuration is wrong:');
  expect(server.stderr).toContain('  - PORT=http: give a port as a whole number');
  expect(server.stderr).toContain('  - PARLANCE_DATADIR: is no setting; use PARLANCE_DATA_DIR');
}, 180_000);
