import { setTimeout as delay } from 'node:timers/promises';

import type { Random } from '../../support/random.js';
import { findViolations } from '../checker.js';
import type { ClientRecord } from '../evidence.js';
import { ChaosClient } from './chaos-client.js';
import type { Address } from './chaos-connection.js';
import { RoomReadings } from './room-readings.js';
import { RunLog } from './run-log.js';

/** A node that clients connect to. */
export interface Entrance {
  readonly index: number;
  /** The ways to connect. */
  readonly addresses: readonly Address[];
}

/** Size and pace of the traffic. */
export interface TrafficSettings {
  /** Prefix of the names of the rooms. */
  readonly name: string;
  readonly clients: number;
  readonly rooms: number;
  /** Acknowledged writes of each {@link Traffic.flow}, or what fits into the time limit. */
  readonly progress: { readonly writes: number; readonly limitMs: number };
  /** Further time of each {@link Traffic.flow}. */
  readonly calmMs: { readonly least: number; readonly most: number };
  /** Time in which the clients receive the last event. */
  readonly lastEventMs: number;
}

/** Clients that use some rooms at random over all nodes, and the check of what they saw. */
export class Traffic {
  /** Violations that are noticed before the check. */
  readonly complaints: string[];
  private readonly log = new RunLog();
  private readonly rooms: readonly string[];
  private readonly readings: RoomReadings;
  private readonly clients: ChaosClient[];

  constructor(
    private readonly nodes: readonly Entrance[],
    private readonly random: Random,
    private readonly settings: TrafficSettings,
  ) {
    const { name } = settings;
    this.complaints = this.log.complaints;
    this.rooms = Array.from({ length: settings.rooms }, (_, at) => `${name}-${String(at)}`);
    this.readings = new RoomReadings(this.rooms);
    this.clients = Array.from({ length: settings.clients }, (_, index) => {
      const own = this.random.fork();
      const address = () => own.pick(own.pick(this.nodes).addresses);
      return new ChaosClient(`client ${String(index)}`, this.rooms, address, this.log, own);
    });
  }

  get records(): ClientRecord[] {
    return this.clients.map(({ record }) => record);
  }

  /** Creates the rooms, and lets the clients connect and write. */
  async start(): Promise<void> {
    const [first] = this.nodes;
    if (first === undefined) throw new Error('There are no nodes.');
    await this.readings.join(firstOf(first));
    for (const client of this.clients) client.start();
    await this.flow();
    await this.readings.keepCuts(firstOf(this.random.pick(this.nodes)));
  }

  /** Lets the clients work for a while. */
  async flow(): Promise<void> {
    const { progress, calmMs } = this.settings;
    const acknowledged = () => this.clients.reduce((sum, client) => sum + client.acknowledged, 0);
    const goal = acknowledged() + progress.writes;
    const hasFlowed = () => acknowledged() >= goal;
    // Faults may leave only little time to write.
    await this.log.progress
      .until(hasFlowed, 'acknowledged writes', progress.limitMs)
      .catch(() => undefined);
    await delay(this.random.between(calmMs.least, calmMs.most));
  }

  /** Lets all commands end, and all clients receive what one has; they stay connected. */
  async settle(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.settle()));
    // Before anything is read from a node, since a read brings its memory up to date.
    for (const room of this.rooms) {
      const seq = Math.max(...this.clients.map((client) => client.lastSeq(room)));
      await Promise.all(this.clients.map((client) => this.expectReached(client, room, seq)));
    }
  }

  /** Reads all rooms from all nodes; returns the violations of the guarantees. */
  async check(): Promise<string[]> {
    const readings = [];
    for (const node of this.nodes) readings.push(...(await this.readings.read(firstOf(node))));
    const { lastEventMs } = this.settings;
    for (const { room, log } of readings) {
      // The checker tells what is missing.
      await Promise.all(this.clients.map((client) => client.reach(room, log.length, lastEventMs)));
    }
    return [...this.complaints, ...findViolations({ clients: this.records, readings })];
  }

  /** Disconnects the clients. */
  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  private async expectReached(client: ChaosClient, room: string, seq: number): Promise<void> {
    if (await client.reach(room, seq, this.settings.lastEventMs)) return;
    const last = String(client.lastSeq(room));
    this.complaints.push(`${client.state.name} waits at ${last} of ${String(seq)} in ${room}`);
  }
}

function firstOf({ addresses }: Entrance): Address {
  const [address] = addresses;
  if (address === undefined) throw new Error('The node has no address.');
  return address;
}
