import { setTimeout as delay } from 'node:timers/promises';

import type { FaultyCluster } from '../../support/faulty-cluster.js';
import type { BusFaults } from '../../support/faulty.bus.js';
import type { Random } from '../../support/random.js';

const SPELL_MS = { least: 20, most: 300 };
const DEAF: BusFaults = { drop: 1, double: 0, delay: 0, maxDelayMs: 1 };

type Change = (cluster: FaultyCluster, random: Random) => void;

/** Faults of one server are the most likely. */
const CHANGES: readonly Change[] = [
  ...Array.from<Change>({ length: 5 }).fill(({ buses }, random) => {
    const maxDelayMs = random.between(1, 150);
    const chance = () => random.next() * 0.5;
    const faults = { drop: chance(), double: chance(), delay: chance(), maxDelayMs };
    random.pick(buses).faults = faults;
  }),
  ({ buses }, random) => (random.pick(buses).faults = DEAF),
  ({ buses }, random) => (random.pick(buses).faults = null),
  ({ buses }, random) => (random.pick(buses).sendsOnlyHeads = random.chance(0.5)),
  ({ hub }) => hub.cut(),
  ({ hub }) => hub.mute(),
];

/** Changes the faults of the buses again and again. */
export class BusWeather {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly cluster: FaultyCluster,
    private readonly random: Random,
  ) {
    this.running = this.run();
  }

  /** Stops; the last faults stay. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { cluster, random } = this;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      cluster.hub.repair();
      random.pick(CHANGES)(cluster, random);
      const ms = random.between(SPELL_MS.least, SPELL_MS.most);
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}
