import { SYSTEM_CLOCK } from '#src/bus/bus-clock.js';
import { MemoryHub } from '#src/bus/memory.driver.js';
import { OPEN_BUS, type OpenBus } from '#src/bus/open-bus.js';
import { ReconnectingBus } from '#src/bus/reconnecting.bus.js';

import { FaultyBus } from './faulty.bus.js';
import type { Random } from './random.js';
import type { TestServer } from './server.js';
import { TestCluster } from './test-cluster.js';

const NO_FAULTS = { drop: 0, double: 0, delay: 0, maxDelayMs: 1 };

/** Servers that share a new PostgreSQL database, and a bus in memory that fails on request. */
export class FaultyCluster {
  private constructor(
    private readonly cluster: TestCluster,
    /** The service behind the buses. */
    readonly hub: MemoryHub,
    /** The buses of the servers, in no particular order. */
    readonly buses: readonly FaultyBus[],
  ) {}

  /** Starts `count` servers, whose buses have no faults yet. */
  static async start(count: number, random: Random): Promise<FaultyCluster> {
    const hub = new MemoryHub();
    const buses: FaultyBus[] = [];
    const openBus: OpenBus = async ({ clusterId }) => {
      const bus = new ReconnectingBus(hub.driver(clusterId)).start();
      const faulty = new FaultyBus(bus, SYSTEM_CLOCK, random.fork(), NO_FAULTS);
      buses.push(faulty);
      return faulty;
    };
    const provider = { provide: OPEN_BUS, useValue: openBus };
    const module = { module: class Bus {}, global: true };
    const modules = [{ ...module, providers: [provider], exports: [OPEN_BUS] }];
    // Nothing opens this address.
    const cluster = await TestCluster.start(count, 'nats://bus.invalid', {}, { modules });
    return new FaultyCluster(cluster, hub, buses);
  }

  get servers(): readonly TestServer[] {
    return this.cluster.nodes;
  }

  /** Stops all servers, and drops their database. */
  dispose(): Promise<void> {
    return this.cluster.dispose();
  }
}
