import { ScratchNats } from '../../support/scratch-services/scratch-nats.js';
import type { ScratchProgram } from '../../support/scratch-services/scratch-program.js';
import { ScratchRedis } from '../../support/scratch-services/scratch-redis.js';

/** The bus of a run. */
export interface ChaosBus {
  /** Value of PARLANCE_BUS. */
  readonly url: string;
  /** The service behind it; PostgreSQL has none of its own. */
  readonly service?: ScratchProgram;
}

const STARTS: Readonly<Record<string, () => Promise<ChaosBus>>> = {
  async nats() {
    const service = await ScratchNats.start();
    return { url: service.url, service };
  },
  async redis() {
    const service = await ScratchRedis.start();
    return { url: service.url, service };
  },
  postgres() {
    return Promise.resolve({ url: 'postgres:' });
  },
};

/** Starts a bus of its own for a run: nats, redis or postgres. */
export async function startBus(kind: string): Promise<ChaosBus> {
  const start = STARTS[kind];
  if (start === undefined)
    throw new RangeError(`--bus is one of ${Object.keys(STARTS).join(', ')}`);
  return start();
}
