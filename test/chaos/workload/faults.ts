import { setTimeout as delay } from 'node:timers/promises';

import type { Direction } from '../../support/chaos-proxy.js';
import type { Random } from '../../support/random.js';
import type { ScratchPostgres } from '../../support/scratch-services/scratch-postgres.js';
import type { GatewayNode } from './gateway-node.js';

const DIRECTIONS: readonly (readonly Direction[])[] = [['to server'], ['to client'], []];

type Fault = (node: GatewayNode, random: Random) => Promise<void>;

/** Everything that a round can do to a node; each fault heals what it broke. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  async kill(node, random) {
    await node.kill();
    await delay(random.between(0, 300));
    await node.start();
  },

  async freeze(node, random) {
    node.freeze();
    await delay(random.between(100, 1_200));
    node.awake();
  },

  async 'cut database'({ database }, random) {
    database.cut();
    await delay(random.between(50, 800));
    database.repair();
  },

  async 'break database connections'({ database }) {
    database.disconnect();
    return Promise.resolve();
  },

  async 'refuse database connections'({ database }, random) {
    database.refuse();
    database.disconnect();
    await delay(random.between(50, 800));
    await database.admit();
  },

  async 'silent database'({ database }, random) {
    database.swallow(...random.pick(DIRECTIONS));
    await delay(random.between(100, 1_500));
    database.restore();
    database.disconnect();
  },

  async 'slow database'({ database }, random) {
    database.delay(random.between(1, 60), ...random.pick(DIRECTIONS));
    await delay(random.between(200, 1_000));
    database.restore();
  },

  async 'narrow database'({ database }, random) {
    database.throttle(random.between(5_000, 100_000), ...random.pick(DIRECTIONS));
    await delay(random.between(200, 1_000));
    database.restore();
  },

  async 'cut within data'({ database }, random) {
    database.cutAfter(random.between(1, 4_000), random.chance(0.5) ? 'to server' : 'to client');
    await delay(random.between(50, 500));
    database.restore();
  },

  async 'terminate sessions'(node, random) {
    const share = random.next();
    await node.terminateSessions(() => random.chance(share));
  },
};

/** Names of the faults of a node. */
export const FAULT_NAMES = Object.keys(FAULTS);

/** Kills PostgreSQL, and starts it again. */
export async function killPostgres(postgres: ScratchPostgres, random: Random): Promise<void> {
  await postgres.kill();
  await delay(random.between(0, 300));
  await postgres.start();
}
