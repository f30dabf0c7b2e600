import { join } from 'node:path';

import type { z } from 'zod';

import { DEFAULT_LIMITS, type LimitName, type Limits } from '../protocol/limits.js';
import { closest } from './closest.js';
import type { DialectName } from './dialect-names.js';
import { limitVariable, OPTIONS, type Environment } from './options.js';

const SECRETS = new Set(['DATABASE_URL', 'PARLANCE_TOKEN_KEYS']);

/** Settings of the server, checked. */
export interface Config {
  readonly port: number;
  readonly host: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly databaseSchema: string;
  /** Time in which a connection to PostgreSQL is made, or becomes free. */
  readonly databaseWaitMs: number;
  readonly dataDir: string;
  readonly filesDir: string;
  readonly origins: readonly string[] | undefined;
  readonly trustProxy: readonly string[];
  readonly tokenKeys: readonly string[] | undefined;
  readonly tokenSeconds: number;
  readonly defaultRoom: string;
  /** Patterns of files with dialects. */
  readonly dialectFiles: readonly string[];
  readonly dialectAwaySeconds: number;
  /** Messages of a history in a dialect, at most. */
  readonly dialectHistory: number;
  readonly guestAwaySeconds: number;
  /** Bots of the default room and of each new one. */
  readonly roomBots: readonly string[];
  /** Bots that come with the server and are left out. */
  readonly withoutBots: readonly string[];
  /** Patterns of files with bots. */
  readonly botFiles: readonly string[];
  /** Programs of others whose clients are served. */
  readonly dialects: readonly DialectName[];
  /** Folder that is served instead of the built-in page. */
  readonly pagesDir: string | undefined;
  /** Content-Security-Policy of what is in that folder. */
  readonly pagesPolicy: string;
  readonly logLevel: string;
  readonly limits: Limits;
}

/** Token by which the {@link Config} is injected. */
export const CONFIG = Symbol('Config');

/** The environment is not one to start with; the message lists all that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * Reads the settings from environment variables.
 *
 * @throws ConfigError that lists every wrong or unknown variable
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
  problems.push(...unknownVariables(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(values as Environment & Record<string, number>);
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
    dataDir: env.PARLANCE_DATA_DIR,
    filesDir: env.PARLANCE_FILES_DIR ?? join(env.PARLANCE_DATA_DIR, 'files'),
    origins: env.PARLANCE_ORIGINS,
    trustProxy: env.PARLANCE_TRUST_PROXY ?? [],
    tokenKeys: env.PARLANCE_TOKEN_KEYS,
    tokenSeconds: env.PARLANCE_TOKEN_SECONDS,
    defaultRoom: env.PARLANCE_DEFAULT_ROOM,
    dialectFiles: env.PARLANCE_DIALECT_FILES ?? [],
    dialectAwaySeconds: env.PARLANCE_LEGACY_AWAY_SECONDS,
    dialectHistory: env.PARLANCE_LEGACY_HISTORY,
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
  const known = Object.keys(OPTIONS);
  return Object.keys(env)
    .filter((name) => name.startsWith('PARLANCE_') && !known.includes(name))
    .map((name) => {
      const near = closest(name, known);
      const advice = near === undefined ? 'see .env.example for those that are' : `use ${near}`;
      return `${name}: is no setting; ${advice}`;
    });
}

/** Shows what was given, unless it may be a secret. */
function shown(name: string, given: string | undefined): string {
  return given === undefined || SECRETS.has(name) ? '' : `=${given}`;
}

function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? 'is wrong';
}
