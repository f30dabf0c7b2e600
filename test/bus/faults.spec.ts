import { Logger } from '@nestjs/common';

import { MemoryHub } from '#src/bus/memory.driver.js';
import { ReconnectingBus } from '#src/bus/reconnecting.bus.js';
import type { RecheckScope } from '#src/bus/recheck-queue.js';
import { partitionOf } from '#src/bus/subjects.js';
import { PinoLogger } from '#src/server/logger.js';

import { CLUSTER, ClusterNode } from '../support/cluster-node.js';
import { FaultyBus } from '../support/faulty.bus.js';
import { ManualClock } from '../support/manual-clock.js';
import { Random, seedFrom } from '../support/random.js';

const SCHEDULES = 40;
const LOGS = Array.from({ length: 12 }, (_, n) => `log-${String(n)}`);
const NOTICE_MS = 500;
/** Time after which a node that is cut off has noticed it, and has compared all logs once. */
const SILENCE_MS = 1_500;

const seed = seedFrom('BUS_SEED');

beforeAll(() => void Logger.overrideLogger(new PinoLogger('silent')));
afterAll(() => void Logger.overrideLogger(new PinoLogger('fatal')));

/** Nodes that write to one database, and learn from each other over a faulty bus. */
class Cluster {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  /** The heads in the database. */
  readonly heads = new Map<string, number>();
  readonly members: { node: ClusterNode; bus: FaultyBus; heads: Map<string, number> }[] = [];

  constructor(private readonly random: Random) {}

  async start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.add(`node-${String(n)}`);
    await this.clock.advance(1_000);
  }

  /** Starts a node, whose memory is the database as it is now. */
  add(address: string): void {
    const { clock, random } = this;
    const bus = new ReconnectingBus(this.hub.driver(CLUSTER.id), clock).start();
    const faults = { drop: 0.1, double: 0.1, delay: 0.2, maxDelayMs: 400 };
    const faulty = new FaultyBus(bus, clock, random.fork(), faults);
    const heads = new Map(this.heads);
    const node = new ClusterNode(faulty, clock, address, {
      log: ({ log, head, events = [] }) => {
        const known = heads.get(log) ?? 0;
        if (head <= known) return;
        // A node takes the next event; if one is missing before it, it reads the database.
        const isNext = head - events.length === known;
        heads.set(log, isNext ? head : (this.heads.get(log) ?? 0));
      },
      recheck: (scope) => this.recheck(heads, scope),
    });
    this.members.push({ node, bus: faulty, heads });
    node.link.start();
  }

  /** Commits an event of a random node to a random log, and announces it. */
  write(): void {
    const { node, heads } = this.random.pick(this.members);
    const log = this.random.pick(LOGS);
    const head = (this.heads.get(log) ?? 0) + 1;
    this.heads.set(log, head);
    heads.set(log, head);
    const data = { room: log, seq: head };
    const events = [{ event: 'message.deleted', data }] as never;
    node.link.announce([{ log, epoch: 'e', head, events }]);
  }

  /** Kills a node between a commit and its publication. */
  async kill(): Promise<void> {
    const [victim] = this.members.splice(this.random.between(0, this.members.length - 1), 1);
    await victim?.node.bus.close();
    const log = this.random.pick(LOGS);
    this.heads.set(log, (this.heads.get(log) ?? 0) + 1);
  }

  heal(): void {
    for (const { bus } of this.members) bus.faults = null;
  }

  expectEqualHeads(): void {
    for (const { node, heads } of this.members) {
      expect({ [node.address]: Object.fromEntries(heads) }).toEqual({
        [node.address]: Object.fromEntries(this.heads),
      });
    }
  }

  private recheck(heads: Map<string, number>, { logs }: RecheckScope): void {
    for (const [log, head] of this.heads) {
      const partition = partitionOf(log, CLUSTER.partitions);
      if (logs === 'all' || logs.includes(partition)) heads.set(log, head);
    }
  }
}

test(`every node learns of every event in ${String(SCHEDULES)} schedules (BUS_SEED=${String(seed)})`, async () => {
  const random = new Random(seed);
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    const cluster = new Cluster(random.fork());
    await cluster.start(3);
    for (let write = 0; write < 60; write++) {
      cluster.write();
      if (random.chance(0.3)) await cluster.clock.advance(random.between(0, 120));
      if (write === 30) cluster.add('late');
    }
    // The last frames are lost, too.
    cluster.heal();
    await cluster.clock.advance(NOTICE_MS);
    cluster.expectEqualHeads();

    await cluster.kill();
    await cluster.clock.advance(SILENCE_MS);
    cluster.expectEqualHeads();

    cluster.hub.cut();
    cluster.write();
    await cluster.clock.advance(SILENCE_MS);
    cluster.expectEqualHeads();
    cluster.hub.repair();
    cluster.write();
    await cluster.clock.advance(3_000);
    cluster.expectEqualHeads();
    for (const { node } of cluster.members) await node.link.leave();
  }
});
