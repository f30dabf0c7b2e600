import type { Provider } from '@nestjs/common';

import { Writer } from '../database/writer.js';
import { BotDispatcher } from '../bots/bot-dispatcher.js';
import { BotClock } from '../bots/runtime/bot-clock.js';
import type { BotReport } from '../bots/runtime/bot-host.js';
import { BotReporter } from '../bots/runtime/bot-reporter.js';
import { optionsOf, type BotSource } from '../bots/runtime/bot-source.js';
import { DEFAULT_SCOPES } from '../protocol/bots.js';
import { BotFaults } from './bot-faults.js';
import { BotsFromAfar, type Carrier } from './bots-from-afar.js';
import { BotsInProcess } from './bots-in-process.js';
import { CollectingBotReporter } from './collecting-bot-reporter.js';
import { CommitRecord } from './commit-record.js';
import { checkBot } from './default-checks.js';
import { FakeBotClock } from './fake-bot-clock.js';
import { FaultyBotExplorer } from './faulty-bot-explorer.js';
import type { HarnessBots } from './harness-bots.js';
import { HarnessPerson } from './harness-person.js';
import { HarnessRoom, type RoomHarness } from './harness-room.js';
import { HarnessServer } from './harness-server.js';
import { Stillness } from './stillness.js';

/** Where bots under test run: in the server, or as a program that connects by this. */
export type Over = 'process' | Carrier;

const NOON = Date.UTC(2030, 0, 1, 12);

/** What a harness is made of. */
export interface BotHarnessOptions {
  /** The bots under test: classes marked with `@ChatBot`, or instances of such. */
  readonly bots: readonly BotSource[];
  /**
   * What is between the bots and the server: nothing, or a connection of this kind, over which
   * they run as a program of their own does. Default: `process`.
   */
  readonly over?: Over;
  /** What the bots inject, and what takes the place of providers of the server. */
  readonly providers?: readonly Provider[];
  /** Settings of the server, such as PARLANCE_LIMIT_TEXT_CHARS. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server for the tests of bots: the real one, with a clock of its own. */
export class BotHarness implements RoomHarness {
  /** Names of the bots under test. */
  readonly bots: readonly string[];
  /** The time that bots go by; it stands still until it is advanced. */
  readonly clock = new FakeBotClock(NOON);
  readonly faults = new BotFaults();
  readonly record = new CommitRecord();
  private readonly reporter = new CollectingBotReporter();
  private readonly server: HarnessServer;
  private readonly running: HarnessBots;
  private readonly stillness: Stillness;
  private readonly rooms = new Map<string, HarnessRoom>();
  private readonly people = new Map<string, HarnessPerson>();

  constructor(options: BotHarnessOptions) {
    const { bots, over = 'process', settings = {} } = options;
    this.bots = bots.map((bot) => optionsOf(bot).name);
    const providers = [
      { provide: BotClock, useValue: this.clock },
      { provide: BotReporter, useValue: this.reporter },
      ...(options.providers ?? []),
    ];
    const isHere = over === 'process';
    const ours = FaultyBotExplorer.provide(this.faults);
    this.server = new HarnessServer({
      bots: isHere ? bots : [],
      accounts: isHere ? [] : bots.map(accountOf),
      providers: [ours, ...providers],
      settings: { PARLANCE_ROOM_BOTS: this.bots.join(','), ...settings },
    });
    this.running = isHere
      ? new BotsInProcess(this.server)
      : new BotsFromAfar(
          { bots, carrier: over, providers: [ours, ...providers] },
          this.server,
          (program) => this.stillness.ended(program.close(), () => program.countBusy() > 0),
        );
    const { server, running, faults, clock, record } = this;
    this.stillness = new Stillness({ server, bots: running, faults, clock, record });
    clock.waitBy(
      () => this.stillness.paused(),
      () => this.stillness.settledButForClock(),
    );
  }

  /** What went wrong at bots so far. */
  get reports(): readonly BotReport[] {
    return this.reporter.reports;
  }

  /** Faults that a bot is to have, and events that are to come twice. */
  get fault() {
    return {
      hang: (bot: string, method?: string) => this.faults.hang(bot, method),
      throw: (bot: string, method?: string) => this.faults.throw(bot, method),
      clear: () => this.faults.clear(),
      redeliver: () => this.running.redeliver(this.record.getLast()),
    };
  }

  /** Gives a room; it is made when the first user joins. */
  room(name: string): HarnessRoom {
    const room = new HarnessRoom(name, this);
    const known = this.rooms.get(room.id) ?? room;
    this.rooms.set(room.id, known);
    return known;
  }

  /** Gives a person by name, connected; the same one in all rooms. */
  async person(name: string): Promise<HarnessPerson> {
    const known = this.people.get(name);
    if (known !== undefined) return known;
    const person = new HarnessPerson(name);
    await person.connect(this.server.transport);
    this.people.set(name, person);
    return person;
  }

  /**
   * Resolves when nothing is left to do: all is stored, and every bot has dealt with it. A
   * handler that a fault lets hang is not waited for.
   */
  settled(): Promise<void> {
    return this.stillness.settled();
  }

  /** Tries what every bot must stand; throws what a bot fails at. */
  async defaultChecks(): Promise<void> {
    for (const bot of this.bots) await checkBot(this, bot);
  }

  /** Stops the server and starts it again on the same database; everybody comes back. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    for (const person of this.people.values()) await person.connect(this.server.transport);
    for (const room of this.rooms.values()) await room.rejoin();
    await this.settled();
  }

  /** Starts the server; {@link createBotHarness} does it. */
  async start(): Promise<void> {
    await this.server.start();
    this.get(Writer).listen(this.record);
    try {
      await this.running.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    await this.settled();
  }

  /** Stops the server and removes its database. */
  async close(): Promise<void> {
    await this.stop();
    await this.server.remove();
  }

  private get<T>(type: new (...args: never[]) => T): T {
    return this.server.app.get<T>(type);
  }

  private async stop(): Promise<void> {
    await this.running.stop();
    const dispatcher = this.get(BotDispatcher);
    await this.stillness.ended(this.server.stop(), () => dispatcher.countBusy() > 0);
  }
}

/** Starts a server for the tests of bots, in which they are in every room with all scopes. */
export async function createBotHarness(options: BotHarnessOptions): Promise<BotHarness> {
  const harness = new BotHarness(options);
  await harness.start();
  return harness;
}

function accountOf(bot: BotSource) {
  const { name, about = '', scopes = DEFAULT_SCOPES } = optionsOf(bot);
  return { name, about, scopes };
}
