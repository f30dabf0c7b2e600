import type { LogChange } from '#src/bus/frames.js';
import { MemoryHub } from '#src/bus/memory.driver.js';
import { ReconnectingBus } from '#src/bus/reconnecting.bus.js';

import { ClusterNode, CLUSTER } from './cluster-node.js';
import { FaultyBus } from './faulty.bus.js';
import { ManualClock } from './manual-clock.js';
import { Random } from './random.js';

/** Faults of a bus that delivers nothing. */
export const LOST = { drop: 1, double: 0, delay: 0, maxDelayMs: 0 };
/** A log of the tests. */
export const LOG = 'room-1';

/** Nodes on one bus in memory, whose time a test moves. */
export class FaultyNodes {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  private readonly nodes: ClusterNode[] = [];

  /** Starts a node whose bus receives without faults until a test sets some. */
  readonly start = (address: string, options: Parameters<MemoryHub['driver']>[1] = {}) => {
    const bus = new ReconnectingBus(this.hub.driver(CLUSTER.id, options), this.clock).start();
    const faulty = new FaultyBus(bus, this.clock, new Random(1), LOST);
    faulty.faults = null;
    const node = new ClusterNode(faulty, this.clock, address);
    node.link.start();
    this.add(node);
    return { node, faulty };
  };

  /** Starts two nodes that know each other. */
  readonly startTwo = async (options: Parameters<MemoryHub['driver']>[1] = {}) => {
    const [one, two] = [this.start('one', options), this.start('two', options)];
    await this.clock.advance(1_000);
    one.node.takeTold();
    two.node.takeTold();
    return { one: one.node, two: two.node, faulty: two.faulty };
  };

  /** Adds a node, which stops with the others. */
  add(node: ClusterNode): void {
    this.nodes.push(node);
  }

  /** Stops all nodes. */
  async leave(): Promise<void> {
    for (const { link } of this.nodes) await link.leave();
  }
}

/** Returns a change of a log. */
export const change = (head: number, log = LOG): LogChange => ({
  log,
  epoch: 'e',
  head,
  events: [event(log, head)],
});

/** Returns an event of a log. */
export function event(log: string, seq: number, text = 'hi') {
  return {
    event: 'message.deleted',
    data: { room: log, seq, at: 1, prev: seq - 1, message: text },
  } as unknown as NonNullable<LogChange['events']>[number];
}
