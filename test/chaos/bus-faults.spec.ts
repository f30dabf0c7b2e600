import { openInMemory } from '../support/channels/in-memory.channel.js';
import { FaultyCluster } from '../support/faulty-cluster.js';
import { Random, seedFrom } from '../support/random.js';
import type { TestServer } from '../support/server.js';
import { openWire } from '../support/wire-transports.js';
import { BusWeather } from './workload/bus-weather.js';
import { Traffic, type Entrance } from './workload/traffic.js';

const SERVERS = 3;
const SCHEDULES = 100;
/** Schedules that run at the same time. */
const LANES = 10;
const FLOWS = { least: 1, most: 2 };
const SETTINGS = {
  clients: 3,
  rooms: 1,
  progress: { writes: 8, limitMs: 10_000 },
  calmMs: { least: 0, most: 60 },
  lastEventMs: 30_000,
};

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? test : test.skip;
const seed = seedFrom('CHAOS_SEED');

function entranceOf(server: TestServer, index: number): Entrance {
  const { inMemory, port } = server;
  return {
    index,
    addresses: [
      { node: index, open: (listener) => openInMemory(inMemory, listener) },
      { node: index, open: (listener) => openWire('websocket', port, listener) },
    ],
  };
}

/** Lets clients use a room of their own; returns what violates a guarantee. */
async function play(nodes: readonly Entrance[], random: Random, name: string): Promise<string[]> {
  const traffic = new Traffic(nodes, random, { ...SETTINGS, name });
  try {
    await traffic.start();
    const flows = random.between(FLOWS.least, FLOWS.most);
    for (let n = 0; n < flows; n++) await traffic.flow();
    await traffic.settle();
    return await traffic.check();
  } finally {
    await traffic.end();
  }
}

onPostgres(
  `${String(SERVERS)} servers keep every guarantee in ${String(SCHEDULES)} schedules of bus faults (CHAOS_SEED=${String(seed)})`,
  async () => {
    const random = new Random(seed);
    const cluster = await FaultyCluster.start(SERVERS, random.fork());
    const nodes = cluster.servers.map(entranceOf);
    const weather = new BusWeather(cluster, random.fork());
    const names = Array.from({ length: SCHEDULES }, (_, index) => `schedule-${String(index)}`);
    const waiting = names.map((name) => ({ name, random: random.fork() }));
    const violations: string[] = [];
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        violations.push(...(await play(nodes, next.random, next.name)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await weather.stop();
    await cluster.dispose();

    expect(violations).toEqual([]);
  },
  240_000,
);
