import { natsProgram, redisProgram } from './scratch-services/programs.js';
import { ScratchNats } from './scratch-services/scratch-nats.js';
import type { ScratchProgram } from './scratch-services/scratch-program.js';
import { ScratchRedis } from './scratch-services/scratch-redis.js';

/** A service that a bus can use. */
export interface BusService {
  /** Name, with how to run its tests. */
  readonly title: string;
  /** Scheme of its URL in PARLANCE_BUS. */
  readonly scheme: string;
  /** Whether tests can use it; in CI, a missing service fails them. */
  readonly isRun: boolean;
  /** Returns the address of the service, which is started if it has a program. */
  open(): Promise<{ host: string; port: number; program?: ScratchProgram }>;
}

const { TEST_DATABASE_URL: databaseUrl, CI } = process.env;

/** NATS and Redis, which tests start, and the PostgreSQL of the tests. */
export const BUS_SERVICES: readonly BusService[] = [
  service('NATS', 'nats', natsProgram, 'install nats-server', async () => {
    const program = await ScratchNats.start();
    return { host: '127.0.0.1', port: program.port, program };
  }),
  service('Redis', 'redis', redisProgram, 'install redis-server', async () => {
    const program = await ScratchRedis.start();
    return { host: '127.0.0.1', port: program.port, program };
  }),
  service('PostgreSQL', 'postgres', databaseUrl, 'set TEST_DATABASE_URL=postgres://…', async () => {
    const { hostname, port } = new URL(databaseUrl ?? '');
    return { host: hostname, port: Number(port) || 5432 };
  }),
];

/** Returns what a bus needs to use a service at an address. */
export function busAddress(
  { scheme }: BusService,
  { host, port }: { host: string; port: number },
  credentials = '',
): { url: string; databaseUrl: string } {
  const database = new URL(databaseUrl ?? 'postgres://unused/test');
  const user =
    credentials === '' && database.username !== '' ? `${database.username}@` : credentials;
  const place = `${host}:${String(port)}`;
  return {
    url: scheme === 'postgres' ? 'postgres:' : `${scheme}://${credentials}${place}`,
    databaseUrl: `postgres://${user}${place}${database.pathname}`,
  };
}

function service(
  name: string,
  scheme: string,
  present: string | undefined,
  remedy: string,
  open: BusService['open'],
): BusService {
  const isRun = CI !== undefined || present !== undefined;
  return { title: isRun ? name : `${name} (to run these, ${remedy})`, scheme, isRun, open };
}
