import { existsSync, readdirSync } from 'node:fs';

const POSTGRES = '/usr/lib/postgresql';

/** Path of nats-server; undefined if it is not installed. */
export const natsProgram = firstOf(['/usr/sbin/nats-server', '/usr/bin/nats-server']);

/** Path of redis-server; undefined if it is not installed. */
export const redisProgram = firstOf(['/usr/bin/redis-server', '/usr/local/bin/redis-server']);

/** Folder of the programs of the newest PostgreSQL; undefined if it is not installed. */
export const postgresPrograms = firstOf(
  versions().map((version) => `${POSTGRES}/${version}/bin/initdb`),
)?.replace(/\/initdb$/, '');

function versions(): string[] {
  if (!existsSync(POSTGRES)) return [];
  return readdirSync(POSTGRES).sort((a, b) => Number(b) - Number(a));
}

function firstOf(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
