import { setTimeout as delay } from 'node:timers/promises';

import { eventually } from '../../support/eventually.js';
import { Random } from '../../support/random.js';
import type { ScratchPostgres } from '../../support/scratch-services/scratch-postgres.js';
import { WIRE_TRANSPORTS } from '../../support/wire-transports.js';
import { findViolations } from '../checker.js';
import type { ClientRecord } from '../evidence.js';
import { ChaosClient } from './chaos-client.js';
import type { Address } from './chaos-connection.js';
import { FAULT_NAMES, FAULTS, killPostgres } from './faults.js';
import type { GatewayNode } from './gateway-node.js';
import { RoomReadings } from './room-readings.js';
import { RunLog } from './run-log.js';

const CLIENTS = 6;
const ROOMS = 2;
/** Acknowledged writes before each fault, or what fits into the time limit. */
const PROGRESS = { writes: 20, limitMs: 2_000 };
const CALM_MS = { least: 20, most: 300 };
const FAULTS_PER_ROUND = { least: 1, most: 3 };
const LAST_EVENT_MS = 5_000;
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
  private readonly log = new RunLog();
  private readonly rooms: readonly string[];
  private readonly readings: RoomReadings;
  private readonly clients: ChaosClient[];
  private readonly faults: string[] = [];

  private readonly nodes: readonly GatewayNode[];
  private readonly postgres: ScratchPostgres | undefined;

  constructor({ nodes, postgres }: Setting, seed: number) {
    this.nodes = nodes;
    this.postgres = postgres;
    this.random = new Random(seed);
    this.rooms = Array.from(
      { length: ROOMS },
      (_, index) => `chaos-${String(seed)}-${String(index)}`,
    );
    this.readings = new RoomReadings(this.rooms);
    this.clients = Array.from({ length: CLIENTS }, (_, index) => {
      const random = this.random.fork();
      const address = () => this.pickAddress(random);
      return new ChaosClient(`client ${String(index)}`, this.rooms, address, this.log, random);
    });
  }

  async play(): Promise<RoundResult> {
    const [first] = this.nodes;
    if (first === undefined) throw new Error('There are no nodes.');
    await this.readings.join(first.port);
    for (const client of this.clients) client.start();
    await this.calm();
    await this.readings.keepCuts(this.random.pick(this.nodes).port);
    const count = this.random.between(FAULTS_PER_ROUND.least, FAULTS_PER_ROUND.most);
    for (let n = 0; n < count; n++) await this.breakSomething();
    await this.heal();
    const violations = await this.check();
    return { ...this.records(), violations };
  }

  /** Returns the result of a round that an error has stopped, which is a violation, too. */
  stopped(error: unknown): RoundResult {
    const outputs = this.nodes.filter(({ hasDied }) => hasDied).map(({ output }) => output);
    const violations = [`the round stopped: ${String(error)}`, ...this.log.complaints, ...outputs];
    return { ...this.records(), violations };
  }

  /** Disconnects the clients. */
  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  private records(): Pick<RoundResult, 'faults' | 'clients'> {
    return { faults: this.faults, clients: this.clients.map(({ record }) => record) };
  }

  private async breakSomething(): Promise<void> {
    const name = this.random.pick(this.possibleFaults());
    if (name === KILL_POSTGRES && this.postgres !== undefined) {
      this.faults.push(name);
      await killPostgres(this.postgres, this.random);
    } else {
      const node = this.random.pick(this.nodes);
      this.faults.push(`${name} of node ${String(node.index)}`);
      await FAULTS[name]?.(node, this.random);
    }
    await this.calm();
  }

  /** A start takes long, so a round has at most one. */
  private possibleFaults(): string[] {
    const all = this.postgres === undefined ? FAULT_NAMES : [...FAULT_NAMES, KILL_POSTGRES];
    const hasKilled = this.faults.some((fault) => fault.startsWith('kill'));
    return hasKilled ? all.filter((name) => !name.startsWith('kill')) : all;
  }

  /** Lets the clients work for a while. */
  private async calm(): Promise<void> {
    const acknowledged = () => this.clients.reduce((sum, client) => sum + client.acknowledged, 0);
    const goal = acknowledged() + PROGRESS.writes;
    const deadline = performance.now() + PROGRESS.limitMs;
    await eventually(
      () => acknowledged() >= goal || performance.now() > deadline,
      'acknowledged writes',
    );
    await delay(this.random.between(CALM_MS.least, CALM_MS.most));
  }

  private async heal(): Promise<void> {
    for (const node of this.nodes) {
      if (node.hasDied) this.log.complaints.push(`a node ended by itself:\n${node.output}`);
      const isReady = () =>
        fetch(`http://127.0.0.1:${String(node.port)}/readyz`).then(({ ok }) => ok);
      await eventually(
        () => isReady().catch(() => false),
        `node ${String(node.index)} to be ready`,
      );
    }
    await Promise.all(this.clients.map((client) => client.settle()));
  }

  private async check(): Promise<string[]> {
    const readings = [];
    for (const { index, port } of this.nodes)
      readings.push(...(await this.readings.read(index, port)));
    for (const { room, log } of readings) {
      await Promise.all(
        this.clients.map((client) => client.reach(room, log.length, LAST_EVENT_MS)),
      );
    }
    const clients = this.clients.map(({ record }) => record);
    return [...this.log.complaints, ...findViolations({ clients, readings })];
  }

  private pickAddress(random: Random): Address {
    const { index, port } = random.pick(this.nodes);
    return { node: index, port, transport: random.pick(WIRE_TRANSPORTS) };
  }
}
