import { eventually } from '../../support/eventually.js';
import { Random } from '../../support/random.js';
import type { ScratchPostgres } from '../../support/scratch-services/scratch-postgres.js';
import type { ClientRecord } from '../evidence.js';
import { FAULT_NAMES, FAULTS, killPostgres } from './faults.js';
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
const KILL_POSTGRES = 'kill of PostgreSQL';

/** Parts of the system that a round can break. */
export interface Setting {
  readonly nodes: readonly GatewayNode[];
  /** PostgreSQL, if nothing else uses it. */
  readonly postgres?: ScratchPostgres;
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
    const { nodes, postgres } = this.setting;
    const name = this.random.pick(this.possibleFaults());
    if (name === KILL_POSTGRES && postgres !== undefined) {
      this.faults.push(name);
      await killPostgres(postgres, this.random);
    } else {
      const node = this.random.pick(nodes);
      this.faults.push(`${name} of node ${String(node.index)}`);
      await FAULTS[name]?.(node, this.random);
    }
    await this.traffic.flow();
  }

  /** A start takes long, so a round has at most one. */
  private possibleFaults(): string[] {
    const all = this.setting.postgres === undefined ? FAULT_NAMES : [...FAULT_NAMES, KILL_POSTGRES];
    const hasKilled = this.faults.some((fault) => fault.startsWith('kill'));
    return hasKilled ? all.filter((name) => !name.startsWith('kill')) : all;
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
