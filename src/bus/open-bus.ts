import { SYSTEM_CLOCK, type BusClock } from './bus-clock.js';
import type { BusDriver } from './bus-driver.js';
import type { ClusterBus } from './cluster-bus.js';
import { ReconnectingBus } from './reconnecting.bus.js';

/** Options of {@link openBus}. */
export interface BusOptions {
  /** URL of the service; `postgres:` stands for the database of the cluster. */
  readonly url: string;
  /** URL of the database of the cluster. */
  readonly databaseUrl: string;
  /** Random id of the cluster: 8 to 40 letters, digits, "-" and "_". */
  readonly clusterId: string;
  readonly clock?: BusClock;
}

/** Opens a bus, as {@link openBus} does. */
export type OpenBus = (options: BusOptions) => Promise<ClusterBus>;

/** Token of a function that opens the bus instead of {@link openBus}. */
export const OPEN_BUS = Symbol('OPEN_BUS');

/**
 * Opens the bus of a cluster; does not wait for the service.
 *
 * Only the client of the chosen service is loaded.
 */
export async function openBus(options: BusOptions): Promise<ClusterBus> {
  if (!/^[\w-]{8,40}$/.test(options.clusterId)) throw new RangeError('Invalid id of a cluster.');
  const driver = await makeDriver(options);
  return new ReconnectingBus(driver, options.clock ?? SYSTEM_CLOCK).start();
}

async function makeDriver({ url, databaseUrl, clusterId }: BusOptions): Promise<BusDriver> {
  if (/^postgres(ql)?:/.test(url)) {
    const { PostgresDriver } = await import('./postgres.driver.js');
    return new PostgresDriver(databaseUrl, clusterId);
  }
  if (/^rediss?:/.test(url)) {
    const { RedisDriver } = await import('./redis.driver.js');
    return new RedisDriver(new URL(url), clusterId);
  }
  const { NatsDriver } = await import('./nats.driver.js');
  const urls = url.split(',').map((one) => new URL(one.trim()));
  return new NatsDriver(urls, clusterId);
}
