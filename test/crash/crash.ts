import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { ChildServer } from '../support/child-server.js';
import { Conditions } from '../support/conditions.js';
import { Random } from '../support/random.js';
import { openWire, WIRE_TRANSPORTS } from '../support/wire-transports.js';
import { checkRooms } from './check-rooms.js';
import { RoomLedger } from './ledger.js';
import { RoomReader } from './room-reader.js';
import { StubbornClient, type ClientHost } from './stubborn-client.js';

const CLIENTS = 6;
const ROOMS = 2;
/** Rounds after which the clients move to new rooms, so that long runs stay fast. */
const ROUNDS_PER_ROOM = 5;
const TRAFFIC_MS = { least: 30, most: 400 };
const SECOND_KILL = { probability: 0.15, mostMs: 200 };
const DOWN_MS = 40_000;

/** Small pages, so that clients recover in every way: resume, replay, and replay in pages. */
const SETTINGS = { PARLANCE_LIMIT_RESUME_EVENTS: '5', PARLANCE_LIMIT_PAGE_BYTES: '65536' };

/** The length, seed and database of a run. */
export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Database settings, as `freshDatabase` returns them. */
  readonly database: Readonly<Record<string, string>>;
  /** Called after each round. */
  readonly onRound?: (report: CrashReport) => void;
}

/** The result of a run. */
export interface CrashReport {
  seed: number;
  rounds: number;
  kills: number;
  acknowledged: number;
  resumed: number;
  behind: number;
  violations: string[];
}

/** Kills a server repeatedly while clients write, and checks the guarantees after each kill. */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const run = new CrashRun(options, await findFreePort());
  try {
    await run.all();
  } catch (error) {
    run.report.violations.push(`stopped: ${String(error)}`);
  } finally {
    await run.end();
  }
  return run.report;
}

class CrashRun {
  readonly report: CrashReport;
  private readonly random: Random;
  private readonly conditions = new Conditions();
  private readonly clients: StubbornClient[];
  private readonly reader = new RoomReader();
  private ledgers: RoomLedger[] = [];
  private server: ChildServer | null = null;
  private isUp = false;
  private starts = 0;

  constructor(
    private readonly options: CrashOptions,
    private readonly port: number,
  ) {
    const { seed } = options;
    this.report = {
      ...{ seed, rounds: 0, kills: 0, acknowledged: 0, resumed: 0, behind: 0 },
      violations: [],
    };
    this.random = new Random(seed);
    this.clients = Array.from({ length: CLIENTS }, (_, index) => {
      return new StubbornClient(`client-${String(index)}`, this.host(index), this.random.fork());
    });
  }

  async all(): Promise<void> {
    await this.start();
    this.newRooms();
    for (const client of this.clients) client.start(this.ledgers);
    while (this.report.rounds < this.options.rounds && this.report.violations.length === 0) {
      await this.round();
      this.report.rounds++;
      this.count();
      this.options.onRound?.(this.report);
    }
  }

  async end(): Promise<void> {
    this.setUp(true);
    await Promise.all([this.server?.kill('SIGKILL'), ...this.clients.map((one) => one.stop())]);
  }

  private async round(): Promise<void> {
    if (this.report.rounds > 0 && this.report.rounds % ROUNDS_PER_ROOM === 0) {
      this.newRooms();
      await Promise.all(this.clients.map((client) => client.move(this.ledgers)));
    }
    const flowing = this.clients.map((client) => client.acknowledge(1));
    for (const client of this.clients) client.chat();
    await Promise.all(flowing);
    await delay(this.random.between(TRAFFIC_MS.least, TRAFFIC_MS.most));
    await this.kill();
    if (this.random.chance(SECOND_KILL.probability)) {
      await this.start();
      await delay(this.random.between(0, SECOND_KILL.mostMs));
      await this.kill();
    }
    await this.start();
    await Promise.all(this.clients.map((client) => client.settle()));
    await this.check();
  }

  private async check(): Promise<void> {
    const found = await checkRooms(this.reader, this.port, this.ledgers, this.clients);
    for (const text of found) this.violation(text);
  }

  private async start(): Promise<void> {
    this.starts++;
    const PORT = String(this.port);
    this.server = await ChildServer.start({ ...SETTINGS, ...this.options.database, PORT });
    this.setUp(true);
  }

  private async kill(): Promise<void> {
    this.setUp(false);
    const exit = await this.server?.kill('SIGKILL');
    this.report.kills++;
    if (exit?.signal === 'SIGKILL') return;
    this.violation(`the server exited unexpectedly: ${this.server?.stderr ?? ''}`);
  }

  private host(index: number): ClientHost {
    return {
      up: () => this.conditions.until(() => this.isUp, 'the server to be up', DOWN_MS),
      open: (listener) => {
        // Each transport has two clients, and each client changes its transport after every start.
        const transport = WIRE_TRANSPORTS[(index + this.starts) % WIRE_TRANSPORTS.length];
        return openWire(transport ?? 'websocket', this.port, listener);
      },
      violation: (text) => this.violation(text),
    };
  }

  private newRooms(): void {
    const chapter = Math.floor(this.report.rounds / ROUNDS_PER_ROOM);
    this.ledgers = Array.from({ length: ROOMS }, (_, index) => {
      return new RoomLedger(`crash-${String(chapter)}-${String(index)}`);
    });
  }

  private count(): void {
    const sum = (of: (client: StubbornClient) => number) =>
      this.clients.reduce((total, client) => total + of(client), 0);
    this.report.acknowledged = sum((client) => client.acknowledged);
    this.report.resumed = sum((client) => client.recoveries.resumed);
    this.report.behind = sum((client) => client.recoveries.behind);
  }

  private violation(text: string): void {
    this.report.violations.push(`round ${String(this.report.rounds + 1)}: ${text}`);
  }

  private setUp(isUp: boolean): void {
    this.isUp = isUp;
    this.conditions.wake();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
