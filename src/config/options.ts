import { statSync } from 'node:fs';

import proxyAddr from 'proxy-addr';
import { z } from 'zod';

import { BotName } from '../protocol/bots.js';
import { DEFAULT_LIMITS, type LimitName } from '../protocol/limits.js';
import { foldRoomName } from '../protocol/names.js';
import { DIALECT_NAMES } from './dialect-names.js';

const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''))
  .refine((items) => items.length > 0, 'give one at least, or leave it out');

const whole = (what: string) =>
  z.string().regex(/^\d+$/, `give ${what} as a whole number`).transform(Number);

const positive = (what: string) =>
  whole(what).refine((value) => value > 0, `give ${what} greater than 0`);

const origin = z.string().refine((text) => {
  return URL.canParse(text) && new URL(text).origin === text;
}, 'give origins such as https://chat.example.org, without a path and separated by commas');

function isWellFormed(url: string): boolean {
  try {
    decodeURIComponent(url);
    return URL.canParse(url);
  } catch {
    return false;
  }
}

/** A token names its key by the id: a second key of that id would never be found. */
function haveOwnIds(keys: readonly string[]): boolean {
  return new Set(keys.map((key) => key.slice(0, key.indexOf(':')))).size === keys.length;
}

function areAddresses(items: readonly string[]): boolean {
  try {
    proxyAddr.compile([...items]);
    return true;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Pages of others have scripts and styles of their own in them; all else comes from here. */
const PAGES_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Environment variables other than the limits, with what they mean. */
const GENERAL = {
  PORT: whole('a port')
    .refine((port) => port <= 65_535, 'give a port from 0 to 65535')
    .default(3000)
    .describe('TCP port to listen on; 0 takes any free one.'),
  HOST: z.string().min(1).optional().describe('Address to listen on; all of them by default.'),
  DATABASE_URL: z
    .string()
    .refine((url) => /^postgres(ql)?:\/\//.test(url), 'give a URL that begins with postgres://')
    .refine(isWellFormed, 'write what is special in a user or a password as %40 for "@" and so on')
    .optional()
    .describe('PostgreSQL to store in; without it, SQLite in the data folder.'),
  PARLANCE_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$/, 'give a plain lower-case name')
    .default('public')
    .describe('PostgreSQL schema; it is created if it is missing.'),
  PARLANCE_DATABASE_WAIT_MS: positive('milliseconds')
    .default(5_000)
    .describe('Milliseconds to wait for a connection to PostgreSQL.'),
  PARLANCE_DATA_DIR: z
    .string()
    .min(1)
    .default('data')
    .describe('Folder of the SQLite database and of the keys made at the first start.'),
  PARLANCE_FILES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the files that users upload; files in the data folder by default.'),
  PARLANCE_ORIGINS: list
    .pipe(z.array(origin))
    .optional()
    .describe('Origins of pages of other hosts that may connect, separated by commas.'),
  PARLANCE_TRUST_PROXY: list
    .refine(areAddresses, 'give addresses, subnets such as 10.0.0.0/8, or "loopback"')
    .optional()
    .describe('Proxies whose X-Forwarded-For counts: addresses, subnets, "loopback".'),
  PARLANCE_TOKEN_KEYS: list
    .pipe(
      z.array(
        z
          .string()
          .regex(/^[\w-]+:[\w+/=-]{43,}$/, 'give id:key with a key of at least 32 bytes in base64'),
      ),
    )
    .refine(haveOwnIds, 'give each key an id of its own')
    .optional()
    .describe('Keys that sign tokens, id:base64; the first signs, all of them verify.'),
  PARLANCE_TOKEN_SECONDS: positive('seconds')
    .default(2_592_000)
    .describe('Seconds that a token is good for.'),
  PARLANCE_DEFAULT_ROOM: z
    .string()
    .refine((name) => foldRoomName(name) !== null, 'give 1 to 64 letters, digits, "-" or "_"')
    .default('general')
    .describe('Public room that exists from the start.'),
  PARLANCE_DIALECT_FILES: list
    .optional()
    .describe('Files of your own dialects to load, such as ./dialects/*.dialect.js.'),
  PARLANCE_LEGACY_AWAY_SECONDS: positive('seconds')
    .default(30)
    .describe('Seconds away after which a guest of an older program leaves the rooms.'),
  PARLANCE_LEGACY_HISTORY: positive('messages')
    .refine((messages) => messages <= 5_000, 'give messages up to 5000')
    .default(500)
    .describe('Messages that a client of livechat is shown at most.'),
  PARLANCE_GUEST_AWAY_SECONDS: positive('seconds')
    .default(86_400)
    .describe('Seconds away after which a guest leaves the rooms.'),
  PARLANCE_ROOM_BOTS: list
    .pipe(z.array(BotName))
    .default([])
    .describe('Bots that are in the default room and in each new one, such as help,dice.'),
  PARLANCE_WITHOUT_BOTS: list
    .pipe(z.array(BotName))
    .default([])
    .describe('Bots of the server to leave out, such as dice,poll.'),
  PARLANCE_BOTS: list
    .optional()
    .describe('Files of your own bots to load, such as ./bots/**/*.bot.js.'),
  PARLANCE_DIALECTS: list
    .transform((names) => (names.length === 1 && names[0] === 'none' ? [] : names))
    .pipe(z.array(z.enum(DIALECT_NAMES, `give some of ${DIALECT_NAMES.join(', ')}, or none`)))
    .default([...DIALECT_NAMES])
    .describe('Chat programs of others whose clients are served; "none" for none of them.'),
  PARLANCE_PAGES_DIR: z
    .string()
    .refine(isFolder, 'give a folder that is there')
    .optional()
    .describe('Folder of pages to serve at / instead of the built-in page.'),
  PARLANCE_PAGES_CSP: z
    .string()
    .regex(/^[\x21-\x7e][\x20-\x7e]*$/, 'give a Content-Security-Policy in one line')
    .default(PAGES_POLICY)
    .describe('Content-Security-Policy of these pages; by default they may have inline scripts.'),
  PARLANCE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least level that is logged.'),
} as const;

/** Name of the environment variable that sets a limit. */
export function limitVariable(limit: LimitName): string {
  return `PARLANCE_LIMIT_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

const LIMITS = Object.fromEntries(
  (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((limit) => [
    limitVariable(limit),
    positive('a limit')
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
