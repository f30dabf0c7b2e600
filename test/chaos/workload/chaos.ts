import type { ClientRecord } from '../evidence.js';
import { GatewayNode } from './gateway-node.js';
import { playRound, type Setting } from './round.js';

const PAUSE_MS = 1_200;

/** The length, seed and database of a run. */
export interface ChaosOptions {
  readonly rounds: number;
  /** Seed of the first round; each further round has the next number. */
  readonly seed: number;
  /** Number of gateways that share the database. */
  readonly nodes: number;
  /** Settings of all gateways, with those of the database. */
  readonly env: Readonly<Record<string, string>>;
  /** Services that the run may kill, by name. */
  readonly services?: Setting['services'];
  /** Maximum time that a node is frozen, in milliseconds. */
  readonly pauseMs?: number;
  /** Called after each round. */
  readonly onRound?: (round: RoundReport) => void;
}

/** The result of a round. */
export interface RoundReport {
  readonly seed: number;
  readonly tookMs: number;
  readonly faults: readonly string[];
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly connections: number;
  readonly violations: readonly string[];
}

/** Plays rounds on gateways of its own, until one finds a violation. */
export async function chaos(options: ChaosOptions): Promise<RoundReport[]> {
  const nodes: GatewayNode[] = [];
  const { services = {}, pauseMs = PAUSE_MS } = options;
  const setting: Setting = { nodes, services, pauseMs };
  const reports: RoundReport[] = [];
  try {
    while (nodes.length < options.nodes) {
      nodes.push(await GatewayNode.start(nodes.length, options.env));
    }
    for (let n = 0; n < options.rounds; n++) {
      const report = await playAndCount(setting, options.seed + n);
      reports.push(report);
      options.onRound?.(report);
      if (report.violations.length > 0) break;
    }
  } finally {
    await Promise.all(nodes.map((node) => node.dispose()));
  }
  return reports;
}

async function playAndCount(setting: Setting, seed: number): Promise<RoundReport> {
  const startedAt = performance.now();
  const { faults, clients, violations } = await playRound(setting, seed);
  const count = (outcome: string) => countOutcomes(clients, outcome);
  return {
    seed,
    tookMs: Math.round(performance.now() - startedAt),
    faults,
    acknowledged: count('acknowledged'),
    unknown: count('unknown'),
    refused: count('refused'),
    connections: clients
      .flatMap(({ observations }) => observations)
      .filter(({ is }) => is === 'opened').length,
    violations,
  };
}

function countOutcomes(clients: readonly ClientRecord[], wanted: string): number {
  return clients
    .flatMap(({ sent, changes }) => [...sent, ...changes])
    .filter(({ outcome }) => outcome.is === wanted).length;
}
