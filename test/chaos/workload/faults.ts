import { setTimeout as delay } from 'node:timers/promises';

import type { ChaosProxy, Direction } from '../../support/chaos-proxy.js';
import type { Random } from '../../support/random.js';
import type { ScratchProgram } from '../../support/scratch-services/scratch-program.js';
import type { GatewayNode } from './gateway-node.js';

const DIRECTIONS: readonly (readonly Direction[])[] = [['to server'], ['to client'], []];
/** Maximum time until a node commits something. */
const COMMIT_MS = 500;

/** Something that breaks a node, and heals what it broke. */
export type Fault = (node: GatewayNode, random: Random) => Promise<void>;

/** Returns the faults of a node, by name. */
export function faultsOf({ bus }: GatewayNode, pauseMs: number): Record<string, Fault> {
  return {
    ...processFaults(pauseMs),
    ...DATABASE_FAULTS,
    ...networkFaults('database', ({ database }) => database),
    ...(bus === undefined ? {} : networkFaults('bus', () => bus)),
  };
}

/** Kills a service that all nodes share, and starts it again. */
export async function restart(service: ScratchProgram, random: Random): Promise<void> {
  await service.kill();
  await delay(random.between(0, 300));
  await service.start();
}

function processFaults(pauseMs: number): Record<string, Fault> {
  return {
    async kill(node, random) {
      await node.kill();
      await delay(random.between(0, 300));
      await node.start();
    },

    async freeze(node, random) {
      node.freeze();
      await delay(random.between(Math.min(100, pauseMs), pauseMs));
      node.awake();
    },
  };
}

const DATABASE_FAULTS: Readonly<Record<string, Fault>> = {
  async 'terminate sessions'(node, random) {
    const share = random.next();
    await node.terminateSessions(() => random.chance(share));
  },

  /** PostgreSQL gets the commit after the node has lost the connection, or not at all. */
  async 'cut within COMMIT'({ database }, random) {
    const lateness = random.between(0, 500);
    const isLost = random.chance(0.3);
    const caught = database.holdNext((sent) => sent.includes('COMMIT'));
    const held = await Promise.race([caught, delay(COMMIT_MS, null)]);
    await delay(lateness);
    if (!isLost) held?.release();
    database.restore();
  },
};

function networkFaults(
  name: string,
  networkOf: (node: GatewayNode) => ChaosProxy,
): Record<string, Fault> {
  return {
    async [`cut ${name}`](node, random) {
      const network = networkOf(node);
      network.cut();
      await delay(random.between(50, 800));
      network.repair();
    },

    async [`break ${name} connections`](node) {
      networkOf(node).disconnect();
      return Promise.resolve();
    },

    async [`refuse ${name} connections`](node, random) {
      const network = networkOf(node);
      network.refuse();
      network.disconnect();
      await delay(random.between(50, 800));
      await network.admit();
    },

    async [`silent ${name}`](node, random) {
      const network = networkOf(node);
      network.swallow(...random.pick(DIRECTIONS));
      await delay(random.between(100, 1_500));
      network.restore();
      network.disconnect();
    },

    async [`slow ${name}`](node, random) {
      const network = networkOf(node);
      network.delay(random.between(1, 60), ...random.pick(DIRECTIONS));
      await delay(random.between(200, 1_000));
      network.restore();
    },

    async [`narrow ${name}`](node, random) {
      const network = networkOf(node);
      network.throttle(random.between(5_000, 100_000), ...random.pick(DIRECTIONS));
      await delay(random.between(200, 1_000));
      network.restore();
    },

    async [`cut within data of ${name}`](node, random) {
      const network = networkOf(node);
      const direction = random.chance(0.5) ? 'to server' : 'to client';
      network.cutAfter(random.between(1, 4_000), direction);
      await delay(random.between(50, 500));
      network.restore();
    },
  };
}
