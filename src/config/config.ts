import { join } from 'node:path';

import type { z } from 'zod';

import { DEFAULT_LIMITS, type LimitName, type Limits } from '../protocol/limits.js';
import { closest } from './closest.js';
import { StartError } from './start-error.js';
import { limitVariable, OPTIONS, type DialectName, type Environment } from './options.js';

const PREFIX = 'PARLANCE_';
const SECRETS = new Set(['DATABASE_URL', 'PARLANCE_BUS', 'PARLANCE_TOKEN_KEYS']);

/** Validated settings of the server. */
export interface Config {
  readonly port: number;
  readonly host: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly databaseSchema: string;
  /** Maximum time to open a connection to PostgreSQL, or to wait for a free one. */
  readonly databaseWaitMs: number;
  /** Maximum time for the database to answer a statement or grant a lock. */
  readonly databaseStatementMs: number;
  /** Whether several servers share the database; it is then PostgreSQL. */
  readonly isDatabaseShared: boolean;
  /** URL of the message bus between these servers; undefined for a single server. */
  readonly busUrl: string | undefined;
  readonly dataDir: string;
  readonly filesDir: string;
  /** Host names of the server; if undefined, the server determines them. */
  readonly hosts: readonly string[] | undefined;
  readonly origins: readonly string[] | undefined;
  readonly trustProxy: readonly string[];
  readonly tokenKeys: readonly string[] | undefined;
  readonly tokenSeconds: number;
  readonly defaultRoom: string;
  /** Glob patterns of files with dialects. */
  readonly dialectFiles: readonly string[];
  readonly dialectAwaySeconds: number;
  /** Time after which a silent connection counts as a client that only listens. */
  readonly dialectSilenceMs: number;
  /** Maximum number of messages in the history of a livechat client. */
  readonly dialectHistory: number;
  /** Maximum number of rooms kept in memory while no connection receives them. */
  readonly roomsInMemory: number;
  readonly guestAwaySeconds: number;
  /** Bots of the default room and of each new one. */
  readonly roomBots: readonly string[];
  /** Built-in bots to disable. */
  readonly withoutBots: readonly string[];
  /** Glob patterns of files with bots. */
  readonly botFiles: readonly string[];
  /** Built-in dialects to enable. */
  readonly dialects: readonly DialectName[];
  /** Folder to serve instead of the built-in page. */
  readonly pagesDir: string | undefined;
  /** Content-Security-Policy of the pages in that folder. */
  readonly pagesPolicy: string;
  readonly logLevel: string;
  readonly limits: Limits;
}

/** Token by which the {@link Config} is injected. */
export const CONFIG = Symbol('Config');

/** Prevents the start because of invalid settings; the message lists all of them. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    const list = problems.map((problem) => `\n  - ${problem}`).join('');
    super({ what: 'Some settings are invalid.', remedy: `Fix them:${list}` });
  }
}

/**
 * Reads the settings from environment variables.
 *
 * @throws ConfigError that lists every invalid or unknown variable
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries<z.ZodType>(OPTIONS)) {
    const given = env[name] === '' ? undefined : env[name];
    const result = schema.safeParse(given);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}${shown(name, given)}: ${firstMessage(result.error)}`);
  }
  problems.push(...unknownVariables(env), ...missingForBus(values));
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(values as Environment & Record<string, number>);
}

/** Lists what a server lacks that shares its database with others. */
function missingForBus(values: Readonly<Record<string, unknown>>): string[] {
  if (values['PARLANCE_BUS'] === undefined) return [];
  const needed = {
    DATABASE_URL: 'set it to the PostgreSQL database that all servers share',
    PARLANCE_TOKEN_KEYS: 'set it to the same keys on all servers',
    PARLANCE_FILES_DIR: 'set it to a folder that all servers share',
  };
  return Object.entries(needed)
    .filter(([name]) => values[name] === undefined)
    .map(([name, remedy]) => `${name}: is required with PARLANCE_BUS; ${remedy}`);
}

function toConfig(env: Environment & Record<string, number>): Config {
  const limits = Object.fromEntries(
    (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((name) => [name, env[limitVariable(name)]]),
  ) as Record<LimitName, number>;
  return {
    port: env.PORT,
    host: env.HOST,
    databaseUrl: env.DATABASE_URL,
    databaseSchema: env.PARLANCE_DATABASE_SCHEMA,
    databaseWaitMs: env.PARLANCE_DATABASE_WAIT_MS,
    databaseStatementMs: env.PARLANCE_DATABASE_STATEMENT_MS,
    isDatabaseShared: env.PARLANCE_BUS !== undefined,
    busUrl: env.PARLANCE_BUS,
    dataDir: env.PARLANCE_DATA_DIR,
    filesDir: env.PARLANCE_FILES_DIR ?? join(env.PARLANCE_DATA_DIR, 'files'),
    hosts: env.PARLANCE_HOSTS,
    origins: env.PARLANCE_ORIGINS,
    trustProxy: env.PARLANCE_TRUST_PROXY ?? [],
    tokenKeys: env.PARLANCE_TOKEN_KEYS,
    tokenSeconds: env.PARLANCE_TOKEN_SECONDS,
    defaultRoom: env.PARLANCE_DEFAULT_ROOM,
    dialectFiles: env.PARLANCE_DIALECT_FILES ?? [],
    dialectAwaySeconds: env.PARLANCE_LEGACY_AWAY_SECONDS,
    dialectSilenceMs: env.PARLANCE_LEGACY_SILENCE_MS,
    dialectHistory: env.PARLANCE_LEGACY_HISTORY,
    roomsInMemory: env.PARLANCE_ROOMS_IN_MEMORY,
    guestAwaySeconds: env.PARLANCE_GUEST_AWAY_SECONDS,
    roomBots: env.PARLANCE_ROOM_BOTS,
    withoutBots: env.PARLANCE_WITHOUT_BOTS,
    botFiles: env.PARLANCE_BOTS ?? [],
    dialects: env.PARLANCE_DIALECTS,
    pagesDir: env.PARLANCE_PAGES_DIR,
    pagesPolicy: env.PARLANCE_PAGES_CSP,
    logLevel: env.PARLANCE_LOG_LEVEL,
    limits,
  };
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.keys(OPTIONS).filter((name) => name.startsWith(PREFIX));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .map((name) => {
      // The common prefix would make any two names look similar.
      const near = closest(withoutPrefix(name), known.map(withoutPrefix));
      const advice =
        near === undefined ? 'see .env.example for all settings' : `use ${PREFIX}${near}`;
      return `${name}: is not a setting; ${advice}`;
    });
}

function withoutPrefix(name: string): string {
  return name.slice(PREFIX.length);
}

/** Returns a value for display; omits values that can be secret. */
function shown(name: string, given: string | undefined): string {
  return given === undefined || SECRETS.has(name) ? '' : `=${given}`;
}

function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? 'is invalid';
}
