import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { ConfigError, readConfig } from '#src/config/config.js';
import { envExample } from '#src/config/env-example.js';
import { DIALECT_NAMES, OPTIONS } from '#src/config/options.js';
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
  test('matches the options; `npm run generate` writes it', () => {
    expect(readFileSync(EXAMPLE, 'utf8')).toBe(envExample());
  });

  test('has each option once', () => {
    const names = envExample().match(/^#[A-Z_]+(?==)/gm);
    expect(names?.map((name) => name.slice(1)).sort()).toEqual(Object.keys(OPTIONS).sort());
  });

  test('contains the defaults', () => {
    const env = parseEnv(envExample().replace(/^#(?=[A-Z_]+=)/gm, ''));
    expect(Object.keys(env)).toHaveLength(Object.keys(OPTIONS).length);
    expect(readConfig(env as Record<string, string>)).toEqual(readConfig({}));
  });
});

describe('the settings', () => {
  test('have defaults', () => {
    const config = readConfig({});
    expect(config.limits).toEqual(DEFAULT_LIMITS);
    expect(config).toMatchObject({ port: 3000, dataDir: 'data', defaultRoom: 'general' });
    expect(config).toMatchObject({ databaseUrl: undefined, origins: undefined, trustProxy: [] });
  });

  test('are read from their variables; an empty variable counts as unset', () => {
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

  test('enable all dialects, some of them, or none', () => {
    const dialects = (names: string) => readConfig({ PARLANCE_DIALECTS: names }).dialects;
    expect(dialects('')).toEqual(DIALECT_NAMES);
    expect(dialects('rooms, broadcast')).toEqual(['rooms', 'broadcast']);
    expect(dialects('none')).toEqual([]);
  });

  test.each([
    ['PORT', 'http', 'must be a whole number'],
    ['PORT', '70000', 'must be a port from 0 to 65535'],
    ['DATABASE_URL', 'mysql://db/chat', 'must be a URL that begins with postgres://'],
    [
      'DATABASE_URL',
      'postgres://ann:50%@db/chat',
      'special characters in user and password must be encoded',
    ],
    [
      'DATABASE_URL',
      'postgres://ann:a/b@db/chat',
      'special characters in user and password must be encoded',
    ],
    ['PARLANCE_DATABASE_SCHEMA', 'Chat-1', 'must be a name of lower-case letters'],
    ['PARLANCE_ORIGINS', 'https://a.example/chat', 'must be origins such as'],
    ['PARLANCE_ORIGINS', 'capacitor://localhost/', 'must be origins such as'],
    ['PARLANCE_ORIGINS', 'capacitor:localhost', 'must be origins such as'],
    ['PARLANCE_ORIGINS', '*', 'wildcards have no effect: list each name exactly'],
    ['PARLANCE_ORIGINS', 'https://*.a.example', 'wildcards have no effect: list each name exactly'],
    [
      'PARLANCE_HOSTS',
      'https://a.example',
      'must be host names such as chat.example.org, without scheme',
    ],
    [
      'PARLANCE_HOSTS',
      'a.example:8443',
      'must be host names such as chat.example.org, without scheme',
    ],
    ['PARLANCE_HOSTS', '*.a.example', 'wildcards have no effect: list each name exactly'],
    ['PARLANCE_ORIGINS', ',', 'must list at least one value, or be removed'],
    ['PARLANCE_TRUST_PROXY', ' , ', 'must list at least one value, or be removed'],
    ['PARLANCE_TRUST_PROXY', '1', 'must be addresses, subnets such as 10.0.0.0/8, or "loopback"'],
    [
      'PARLANCE_TOKEN_KEYS',
      'k1:short',
      'must be id:key, with a key of at least 32 bytes in base64',
    ],
    ['PARLANCE_TOKEN_KEYS', ',', 'must list at least one value, or be removed'],
    ['PARLANCE_TOKEN_KEYS', `k1:${KEY},k1:${KEY}`, 'must have a different id for each key'],
    ['PARLANCE_TOKEN_SECONDS', '0', 'must be greater than 0'],
    ['PARLANCE_BUS', 'amqp://bus', 'must be nats://host:port, redis://host:port or postgres:'],
    ['PARLANCE_BUS', 'redis://a,redis://b', 'must be nats://host:port, redis://host:port or'],
    ['PARLANCE_LEGACY_HISTORY', '5001', 'must be at most 5000'],
    ['PARLANCE_DEFAULT_ROOM', 'no spaces', 'must have 1 to 64 letters, digits'],
    ['PARLANCE_DIALECTS', 'livechat,irc', 'must list some of livechat, rooms, simple-chat,'],
    ['PARLANCE_DIALECTS', 'none,rooms', 'must list some of livechat, rooms, simple-chat,'],
    ['PARLANCE_PAGES_DIR', '/nowhere', 'must be an existing, readable folder'],
    ['PARLANCE_PAGES_DIR', `/${'x'.repeat(300)}`, 'must be an existing, readable folder'],
    [
      'PARLANCE_PAGES_CSP',
      "default-src 'none'\r\nX: y",
      'must be a Content-Security-Policy on one line',
    ],
    ['PARLANCE_LOG_LEVEL', 'loud', 'expected one of "fatal"'],
    ['PARLANCE_LIMIT_TEXT_CHARS', 'many', 'must be a whole number'],
    ['PARLANCE_LIMIT_TEXT_CHARS', '0', 'must be greater than 0'],
  ])('reject %s=%s with advice', (name, value, advice) => {
    const [problem, ...others] = problemsOf({ [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}\\b`));
    expect(problem).toContain(advice);
    expect(others).toEqual([]);
  });

  test.each([
    ['PARLANCE_LIMIT_TEXT_CHAR', 'use PARLANCE_LIMIT_TEXT_CHARS'],
    ['PARLANCE_DATADIR', 'use PARLANCE_DATA_DIR'],
    ['PARLANCE_FAVOURITE_COLOUR', 'see .env.example'],
  ])('reject the unknown %s with the advice: %s', (name, advice) => {
    const [problem] = problemsOf({ [name]: '1' });
    expect(problem).toContain(`${name}: is not a setting`);
    expect(problem).toContain(advice);
  });

  test('require with a bus what all servers share', () => {
    const problems = problemsOf({ PARLANCE_BUS: 'nats://ann:secret@bus:4222' });
    expect(problems).toEqual([
      expect.stringMatching(/^DATABASE_URL: is required with PARLANCE_BUS/),
      expect.stringMatching(/^PARLANCE_TOKEN_KEYS: is required with PARLANCE_BUS/),
      expect.stringMatching(/^PARLANCE_FILES_DIR: is required with PARLANCE_BUS/),
    ]);
    expect(problems.join()).not.toContain('secret');
  });

  test('report all problems at once', () => {
    const env = { PORT: 'http', PARLANCE_LOG_LEVEL: 'loud', PARLANCE_DATADIR: '/tmp' };
    expect(problemsOf(env)).toHaveLength(3);
  });

  test('ignore the variables of other programs', () => {
    expect(problemsOf({ PATH: '/bin', PARLANCES: '1', DATABASE_POOL: '3' })).toEqual([]);
  });
});

test('a server with invalid settings exits with 1 and reports all of them', async () => {
  const server = new ChildServer({ PORT: 'http', PARLANCE_DATADIR: '/nowhere' });
  expect(await server.ended()).toEqual({ code: 1, signal: null });
  expect(server.stdout).toBe('');
  expect(server.stderr).toContain('Some settings are invalid. Fix them:');
  expect(server.stderr).toContain('  - PORT=http: must be a whole number');
  expect(server.stderr).toContain('  - PARLANCE_DATADIR: is not a setting; use PARLANCE_DATA_DIR');
}, 180_000);
