import type { ModuleMetadata, Provider } from '@nestjs/common';

import { DEFAULT_SCOPES } from '../../protocol/bots.js';
import { BotClock } from '../kit/bot-clock.js';
import type { BotReport } from '../kit/bot-host.js';
import { BotReporter } from '../kit/bot-reporter.js';
import { optionsOf, type BotSource } from '../kit/bot-source.js';
import { IdleTracker } from '../kit/idle-tracker.js';
import { LogFeed } from '../../store/log-feed.js';
import { BotDispatcher } from '../server/dispatch/bot-dispatcher.js';
import { BotFaults } from './bot-faults.js';
import { CommitRecord } from './commit-record.js';
import { checkBot } from './default-checks.js';
import { FakeBotClock } from './fake-bot-clock.js';
import { FaultyBotExplorer } from './faulty-bot-explorer.js';
import { HarnessPerson } from './harness-person.js';
import { HarnessProgram } from './harness-program.js';
import { HarnessRoom, type RoomHarness } from './harness-room.js';
import { HarnessServer } from './harness-server.js';
import { ActivityTracker, IdleWaiter } from './idle-waiter.js';

/** Where the bots under test can run: inside the server, or in a program with a connection. */
export const HARNESS_TRANSPORTS = ['in-process', 'websocket', 'socket.io'] as const;
export type HarnessTransport = (typeof HARNESS_TRANSPORTS)[number];

const NOON = Date.UTC(2030, 0, 1, 12);

/** Collects the reports of bots for tests. */
export class CollectingBotReporter extends BotReporter {
  readonly reports: BotReport[] = [];

  override report(report: BotReport): void {
    this.reports.push(report);
  }
}

/** Options of {@link createBotHarness}. */
export interface BotHarnessOptions {
  /** The bots under test: classes marked with `@ChatBot`, or instances of them. */
  readonly bots: readonly BotSource[];
  /**
   * How the bots are connected to the server: not at all, because they run inside it, or as a
   * program with such a connection. Default: `in-process`.
   */
  readonly transport?: HarnessTransport;
  /** Modules that export dependencies of the bots. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Dependencies of the bots, and replacements for providers of the server. */
  readonly providers?: readonly Provider[];
  /** Settings of the server, such as PARLANCE_LIMIT_TEXT_CHARS. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A complete server for testing bots, with a clock that the test advances. */
export class BotHarness implements RoomHarness {
  /** Names of the bots under test. */
  readonly bots: readonly string[];
  /** The clock of the bots; it stands still until the test advances it. */
  readonly clock = new FakeBotClock(NOON);
  readonly faults = new BotFaults();
  readonly record = new CommitRecord();
  private readonly reporter = new CollectingBotReporter();
  private readonly server: HarnessServer;
  /** The program in which the bots run; null if they run inside the server. */
  private readonly program: HarnessProgram | null;
  /** The tracker of the running server; each start creates one. */
  private tracker = new ActivityTracker();
  private readonly idle: IdleWaiter;
  private readonly rooms = new Map<string, HarnessRoom>();
  private readonly people = new Map<string, HarnessPerson>();

  constructor(options: BotHarnessOptions) {
    const { bots, transport = 'in-process', imports = [], settings = {} } = options;
    this.bots = bots.map((bot) => optionsOf(bot).name);
    const providers = [
      FaultyBotExplorer.provide(this.faults),
      { provide: BotClock, useValue: this.clock },
      { provide: BotReporter, useValue: this.reporter },
      ...(options.providers ?? []),
    ];
    const isInProcess = transport === 'in-process';
    const createTracker = () => (this.tracker = new ActivityTracker());
    this.server = new HarnessServer({
      bots: isInProcess ? bots : [],
      accounts: isInProcess ? [] : bots.map(accountOf),
      imports: isInProcess ? imports : [],
      providers: [{ provide: IdleTracker, useFactory: createTracker }, ...providers],
      settings: { PARLANCE_ROOM_BOTS: this.bots.join(','), ...settings },
    });
    const shared = { provide: IdleTracker, useFactory: () => this.tracker };
    this.program = isInProcess
      ? null
      : new HarnessProgram(
          { bots, transport, imports, providers: [shared, ...providers] },
          this.server,
          (closing) => this.idle.stopped(closing),
        );
    const { server, program, faults, clock, record } = this;
    const tracker = () => this.tracker;
    this.idle = new IdleWaiter({ server, program, faults, clock, record, tracker });
    clock.waitBy(
      () => this.idle.paused(),
      () => this.idle.settledExceptTimers(),
    );
  }

  /** The failures of bots so far. */
  get reports(): readonly BotReport[] {
    return this.reporter.reports;
  }

  /** Injects faults into handlers, and delivers events twice. */
  get fault() {
    return {
      hang: (bot: string, method?: string) => this.faults.hang(bot, method),
      throw: (bot: string, method?: string) => this.faults.throw(bot, method),
      clear: () => this.faults.clear(),
      redeliver: () => this.redeliver(),
    };
  }

  /** Returns a room; the first user who joins creates it. */
  room(name: string): HarnessRoom {
    const room = new HarnessRoom(name, this);
    const known = this.rooms.get(room.id) ?? room;
    this.rooms.set(room.id, known);
    return known;
  }

  /** Returns a connected person by name, the same one for all rooms. */
  async person(name: string): Promise<HarnessPerson> {
    const known = this.people.get(name);
    if (known !== undefined) return known;
    const person = new HarnessPerson(name);
    await person.connect(this.server.transport);
    this.people.set(name, person);
    return person;
  }

  /**
   * Resolves when everything is stored and every bot has handled it. Does not wait for a handler
   * that a fault makes hang.
   */
  settled(): Promise<void> {
    return this.idle.settled();
  }

  /**
   * Runs the checks that every bot has to pass.
   *
   * @throws DefaultCheckError
   */
  async defaultChecks(): Promise<void> {
    for (const bot of this.bots) await checkBot(this, bot);
  }

  /** Restarts the server on the same database; all people reconnect. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    for (const person of this.people.values()) await person.connect(this.server.transport);
    for (const room of this.rooms.values()) await room.rejoin();
    await this.settled();
  }

  /** Starts the server; {@link createBotHarness} calls it. */
  async start(): Promise<void> {
    await this.server.start();
    this.server.app.get(LogFeed).listen(this.record);
    try {
      await this.program?.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    await this.settled();
  }

  /** Stops the server and deletes its database. */
  async close(): Promise<void> {
    await this.stop();
    await this.server.remove();
  }

  private redeliver(): void {
    const event = this.record.getLast();
    if (this.program === null) this.server.app.get(BotDispatcher).committed([event]);
    else void this.program.redeliver(event);
  }

  private async stop(): Promise<void> {
    await this.program?.stop();
    await this.idle.stopped(this.server.stop());
  }
}

/** Starts a server for testing bots, which join every room with all scopes that they want. */
export async function createBotHarness(options: BotHarnessOptions): Promise<BotHarness> {
  const harness = new BotHarness(options);
  await harness.start();
  return harness;
}

function accountOf(bot: BotSource) {
  const { name, about = '', scopes = DEFAULT_SCOPES } = optionsOf(bot);
  return { name, about, scopes };
}
