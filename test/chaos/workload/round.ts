import { eventually } from '../../support/eventually.js';
import { Random } from '../../support/random.js';
import type { ScratchProgram } from '../../support/scratch-services/scratch-program.js';
import type { ClientRecord } from '../evidence.js';
import { faultsOf, restart } from './faults.js';
import type { GatewayNode } from './gateway-node.js';
import { Traffic } from './traffic.js';

const TRAFFIC = {
  clients: 6,
  rooms: 2,
  progress: { writes: 20, limitMs: 2_000 },
  calmMs: { least: 20, most: 300 },
  lastEventMs: 5_000,
};
const FAULTS_PER_ROUND = { least: 1, most: 3 };
/** Share of the steps that break two nodes at the same time. */
const DOUBLE_FAULTS = 0.3;

/** Parts of the system that a round can break. */
export interface Setting {
  readonly nodes: readonly GatewayNode[];
  /** Services of all nodes that nothing else uses, by name. */
  readonly services: Readonly<Record<string, ScratchProgram>>;
  /** Maximum time that a node is frozen, in milliseconds. */
  readonly pauseMs: number;
}

/** Outcome of a round. */
export interface RoundResult {
  readonly faults: readonly string[];
  readonly clients: readonly ClientRecord[];
  readonly violations: readonly string[];
}

/** Lets clients write while faults happen, heals everything, and checks what is stored and seen. */
export async function playRound(setting: Setting, seed: number): Promise<RoundResult> {
  const round = new Round(setting, seed);
  try {
    return await round.play();
  } catch (error) {
    return round.stopped(error);
  } finally {
    await round.end();
  }
}

class Round {
  private readonly random: Random;
  private readonly traffic: Traffic;
  private readonly faults: string[] = [];

  constructor(
    private readonly setting: Setting,
    seed: number,
  ) {
    this.random = new Random(seed);
    const settings = { ...TRAFFIC, name: `chaos-${String(seed)}` };
    this.traffic = new Traffic(setting.nodes, this.random, settings);
  }

  async play(): Promise<RoundResult> {
    await this.traffic.start();
    const count = this.random.between(FAULTS_PER_ROUND.least, FAULTS_PER_ROUND.most);
    for (let n = 0; n < count; n++) await this.breakSomething();
    await this.heal();
    const violations = await this.traffic.check();
    return { ...this.records(), violations };
  }

  /** Returns the result of a round that an error has stopped, which is a violation, too. */
  stopped(error: unknown): RoundResult {
    const outputs = this.setting.nodes.flatMap(({ hasDied, output }) => (hasDied ? [output] : []));
    const { complaints } = this.traffic;
    const violations = [`the round stopped: ${String(error)}`, ...complaints, ...outputs];
    return { ...this.records(), violations };
  }

  /** Disconnects the clients. */
  async end(): Promise<void> {
    await this.traffic.end();
  }

  private records(): Pick<RoundResult, 'faults' | 'clients'> {
    return { faults: this.faults, clients: this.traffic.records };
  }

  private async breakSomething(): Promise<void> {
    const { nodes, services } = this.setting;
    const shared = this.hasKilled() ? [] : Object.entries(services);
    const chosen = this.random.between(0, nodes.length + shared.length - 1);
    const [name, service] = shared[chosen - nodes.length] ?? [];
    if (service !== undefined) {
      this.faults.push(`kill of ${String(name)}`);
      await restart(service, this.random);
    } else {
      const [first, second] = this.shuffle(nodes);
      const isDouble = this.random.chance(DOUBLE_FAULTS);
      const broken = [first, ...(isDouble ? [second] : [])].filter((node) => node !== undefined);
      await Promise.all(broken.map((node) => this.breakNode(node, this.random.fork())));
    }
    await this.traffic.flow();
  }

  private async breakNode(node: GatewayNode, random: Random): Promise<void> {
    const faults = Object.entries(faultsOf(node, this.setting.pauseMs));
    const possible = this.hasKilled() ? faults.filter(([name]) => name !== 'kill') : faults;
    const [name, fault] = random.pick(possible);
    this.faults.push(`${name} of node ${String(node.index)}`);
    await fault(node, random);
  }

  /** A start takes long, so a round has at most one. */
  private hasKilled(): boolean {
    return this.faults.some((fault) => fault.startsWith('kill'));
  }

  private shuffle<T>(items: readonly T[]): T[] {
    const keyed = items.map((item) => ({ item, key: this.random.next() }));
    return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
  }

  private async heal(): Promise<void> {
    for (const node of this.setting.nodes) {
      if (node.hasDied) this.traffic.complaints.push(`a node ended by itself:\n${node.output}`);
      const isReady = () =>
        fetch(`http://127.0.0.1:${String(node.port)}/readyz`).then(({ ok }) => ok);
      await eventually(
        () => isReady().catch(() => false),
        `node ${String(node.index)} to be ready`,
      );
    }
    await this.traffic.settle();
  }
}
