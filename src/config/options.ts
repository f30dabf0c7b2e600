import { statSync } from 'node:fs';

import proxyAddr from 'proxy-addr';
import { z } from 'zod';

import { BotName } from '../protocol/bots.js';
import { DEFAULT_LIMITS, type LimitName } from '../protocol/limits.js';
import { foldRoomName } from '../protocol/names.js';
import { isOrigin, parseHost } from './hosts.js';

/** Names of the built-in dialects, each after the chat program whose clients it serves. */
export const DIALECT_NAMES = [
  'livechat',
  'rooms',
  'simple-chat',
  'realtime-chat',
  'broadcast',
] as const;

/** Name of a built-in dialect. */
export type DialectName = (typeof DIALECT_NAMES)[number];

const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''))
  .refine((items) => items.length > 0, 'must list at least one value, or be removed');

const whole = (unit?: string) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number${unit === undefined ? '' : ` of ${unit}`}`)
    .transform(Number);

const positive = (unit?: string) =>
  whole(unit).refine((value) => value > 0, 'must be greater than 0');

const noWildcard = z.string().refine((text) => !text.includes('*'), {
  error: 'wildcards have no effect: list each name exactly',
  abort: true,
});

const origin = noWildcard.refine(
  isOrigin,
  'must be origins such as https://chat.example.org or capacitor://localhost, ' +
    'without a path, separated by commas',
);

const host = noWildcard.refine(
  (text) => parseHost(text) !== null && !/:\d+$/.test(text),
  'must be host names such as chat.example.org, without scheme or port, separated by commas',
);

function isWellFormed(url: string): boolean {
  try {
    decodeURIComponent(url);
    return URL.canParse(url);
  } catch {
    return false;
  }
}

/** Returns whether a text is `postgres:` or URLs of NATS or Redis; NATS may have several. */
function isBusUrl(text: string): boolean {
  if (/^postgres(ql)?:$/.test(text)) return true;
  const urls = text.split(',').map((url) => url.trim());
  const scheme = /^(nats|tls|rediss?):\/\/[^/]/;
  if (!urls.every((url) => scheme.test(url) && isWellFormed(url))) return false;
  return urls.length === 1 || urls.every((url) => !url.startsWith('redis'));
}

/** Returns whether all ids differ; a token refers to its key by the id. */
function haveUniqueIds(keys: readonly string[]): boolean {
  return new Set(keys.map((key) => key.slice(0, key.indexOf(':')))).size === keys.length;
}

/** Rejects forms such as `1`: Express reads it as a number of proxies, proxy-addr as 0.0.0.1. */
function areAddresses(items: readonly string[]): boolean {
  if (items.some((item) => /^(\d+|0x.*)$/i.test(item))) return false;
  try {
    proxyAddr.compile([...items]);
    return true;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Allows the inline scripts and styles of custom pages; all else must come from this server. */
const PAGES_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Environment variables other than the limits, with their descriptions. */
const GENERAL = {
  PORT: whole()
    .refine((port) => port <= 65_535, 'must be a port from 0 to 65535')
    .default(3000)
    .describe('TCP port to listen on; 0 selects a free one.'),
  HOST: z.string().min(1).optional().describe('Address to listen on; all addresses by default.'),
  DATABASE_URL: z
    .string()
    .refine((url) => /^postgres(ql)?:\/\//.test(url), 'must be a URL that begins with postgres://')
    .refine(
      isWellFormed,
      'special characters in user and password must be encoded, such as "@" as %40',
    )
    .optional()
    .describe('PostgreSQL database; by default, SQLite in the data folder.'),
  PARLANCE_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, 'must be a name of lower-case letters, digits and "_"')
    .default('public')
    .describe('PostgreSQL schema; created if it does not exist.'),
  PARLANCE_DATABASE_WAIT_MS: positive('milliseconds')
    .default(5_000)
    .describe('Maximum time to wait for a connection to PostgreSQL, in milliseconds.'),
  PARLANCE_DATABASE_STATEMENT_MS: positive('milliseconds')
    .default(5_000)
    .describe(
      'Maximum time for the database to answer a statement or grant a lock, in milliseconds.',
    ),
  PARLANCE_BUS: z
    .string()
    .refine(isBusUrl, 'must be nats://host:port, redis://host:port or postgres:')
    .optional()
    .describe(
      'Message bus between servers that share a PostgreSQL database: nats://…, redis://… or postgres:.',
    ),
  PARLANCE_DATA_DIR: z
    .string()
    .min(1)
    .default('data')
    .describe('Folder of the SQLite database, uploaded files and generated token keys.'),
  PARLANCE_FILES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of uploaded files; by default, files/ in the data folder.'),
  PARLANCE_ORIGINS: list
    .pipe(z.array(origin))
    .optional()
    .describe('Exact origins of other hosts whose pages may connect, separated by commas.'),
  PARLANCE_HOSTS: list
    .pipe(z.array(host))
    .optional()
    .describe('Host names of the server, such as chat.example.org, separated by commas.'),
  PARLANCE_TRUST_PROXY: list
    .refine(areAddresses, 'must be addresses, subnets such as 10.0.0.0/8, or "loopback"')
    .optional()
    .describe('Proxies whose X-Forwarded-For is trusted: addresses, subnets or "loopback".'),
  PARLANCE_TOKEN_KEYS: list
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^[\w-]+:[\w+/=-]{43,}$/,
            'must be id:key, with a key of at least 32 bytes in base64',
          ),
      ),
    )
    .refine(haveUniqueIds, 'must have a different id for each key')
    .optional()
    .describe('Keys for tokens as id:base64, separated by commas; the first signs, all verify.'),
  PARLANCE_TOKEN_SECONDS: positive('seconds')
    .default(2_592_000)
    .describe('Lifetime of a token, in seconds.'),
  PARLANCE_DEFAULT_ROOM: z
    .string()
    .refine((name) => foldRoomName(name) !== null, 'must have 1 to 64 letters, digits, "-" or "_"')
    .default('general')
    .describe('Public room that the server creates at its first start.'),
  PARLANCE_DIALECT_FILES: list
    .optional()
    .describe('Files of additional dialects to load, such as ./dialects/*.dialect.js.'),
  PARLANCE_LEGACY_AWAY_SECONDS: positive('seconds')
    .default(30)
    .describe('Seconds after which a disconnected guest of a dialect leaves all rooms.'),
  PARLANCE_LEGACY_SILENCE_MS: positive('milliseconds')
    .refine((ms) => ms <= 5_000, 'must be at most 5000')
    .default(200)
    .describe('Milliseconds of silence after which a Socket.IO connection counts as a listener.'),
  PARLANCE_LEGACY_HISTORY: positive('messages')
    .refine((messages) => messages <= 5_000, 'must be at most 5000')
    .default(500)
    .describe('Maximum number of messages in the history of a livechat client.'),
  PARLANCE_ROOMS_IN_MEMORY: positive('rooms')
    .refine((rooms) => rooms <= 1_000_000, 'must be at most 1000000')
    .default(2_048)
    .describe(
      'Maximum number of recently used rooms to keep in memory while no connection receives them.',
    ),
  PARLANCE_GUEST_AWAY_SECONDS: positive('seconds')
    .default(86_400)
    .describe('Seconds after which a disconnected guest leaves all rooms.'),
  PARLANCE_ROOM_BOTS: list
    .pipe(z.array(BotName))
    .default([])
    .describe(
      'Bots of the default room and of each new room, such as help,dice; other bots leave.',
    ),
  PARLANCE_WITHOUT_BOTS: list
    .pipe(z.array(BotName))
    .default([])
    .describe('Built-in bots to disable, such as dice,poll.'),
  PARLANCE_BOTS: list
    .optional()
    .describe('Files of additional bots to load, such as ./bots/**/*.bot.js.'),
  PARLANCE_DIALECTS: list
    .transform((names) => (names.length === 1 && names[0] === 'none' ? [] : names))
    .pipe(
      z.array(z.enum(DIALECT_NAMES, `must list some of ${DIALECT_NAMES.join(', ')}, or be none`)),
    )
    .default([...DIALECT_NAMES])
    .describe('Built-in dialects to speak with clients of other chat programs; "none" for none.'),
  PARLANCE_PAGES_DIR: z
    .string()
    .refine(isFolder, 'must be an existing, readable folder')
    .optional()
    .describe('Folder of pages to serve at / instead of the built-in page.'),
  PARLANCE_PAGES_CSP: z
    .string()
    .regex(/^[\x21-\x7e][\x20-\x7e]*$/, 'must be a Content-Security-Policy on one line')
    .default(PAGES_POLICY)
    .describe('Content-Security-Policy of these pages; the default allows inline scripts.'),
  PARLANCE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Minimum level of log lines.'),
} as const;

/** Name of the environment variable that sets a limit. */
export function limitVariable(limit: LimitName): string {
  return `PARLANCE_LIMIT_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

const LIMITS = Object.fromEntries(
  (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((limit) => [
    limitVariable(limit),
    (limit === 'observers' ? whole() : positive())
      .default(DEFAULT_LIMITS[limit])
      .describe(`Limit ${limit}; see P-9.1 of docs/protocol.md.`),
  ]),
);

/** Every environment variable that the server reads. */
export const OPTIONS = { ...GENERAL, ...LIMITS } as typeof GENERAL &
  Record<string, z.ZodType<number>>;

/** Schema of the environment. */
export const Environment = z.object(GENERAL);
export type Environment = z.output<typeof Environment>;
