import type { Provider } from '@nestjs/common';

import { Writer } from '../database/writer.js';
import { BotDispatcher } from '../bots/bot-dispatcher.js';
import { BotReporter } from '../bots/bot-reporter.js';
import type { BotSource } from '../bots/bots.module.js';
import { BotClock } from '../bots/runtime/bot-clock.js';
import type { BotReport } from '../bots/runtime/bot-host.js';
import type { BotOptions } from '../bots/runtime/bot-manifest.js';
import { BOT_OPTIONS } from '../bots/runtime/chat-bot.decorator.js';
import { BotFaults } from './bot-faults.js';
import { CollectingBotReporter } from './collecting-bot-reporter.js';
import { CommitRecord } from './commit-record.js';
import { checkBot } from './default-checks.js';
import { FakeBotClock } from './fake-bot-clock.js';
import { HarnessPerson } from './harness-person.js';
import { HarnessRoom, type RoomHarness } from './harness-room.js';
import { HarnessServer } from './harness-server.js';

const NOON = Date.UTC(2030, 0, 1, 12);
/** Turns of the event loop in which nothing may happen before all is taken to be done. */
const QUIET_TURNS = 3;
/** The same while a handler waits for something that nobody knows. */
const WAITING_TURNS = 50;
const LIMIT_MS = 10_000;

/** What a harness is made of. */
export interface BotHarnessOptions {
  /** The bots under test: classes marked with `@ChatBot`, or instances of such. */
  readonly bots: readonly BotSource[];
  /** What the bots inject, and what takes the place of providers of the server. */
  readonly providers?: readonly Provider[];
  /** Settings of the server, such as PARLANCE_LIMIT_TEXT_CHARS. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server for the tests of bots: the real one, in memory and with a clock of its own. */
export class BotHarness implements RoomHarness {
  /** Names of the bots under test. */
  readonly bots: readonly string[];
  /** The time that bots go by; it stands still until it is advanced. */
  readonly clock = new FakeBotClock(NOON);
  readonly faults = new BotFaults();
  record = new CommitRecord();
  private readonly reporter = new CollectingBotReporter();
  private readonly server: HarnessServer;
  private readonly rooms = new Map<string, HarnessRoom>();
  private readonly people = new Map<string, HarnessPerson>();

  constructor({ bots, providers = [], settings = {} }: BotHarnessOptions) {
    this.bots = bots.map(nameOf);
    const ours: Provider[] = [
      { provide: BotClock, useValue: this.clock },
      { provide: BotReporter, useValue: this.reporter },
    ];
    this.server = new HarnessServer({
      ...{ bots, providers: [...ours, ...providers], faults: this.faults },
      settings: { PARLANCE_ROOM_BOTS: this.bots.join(','), ...settings },
    });
    this.clock.waitBy(
      () => this.paused(),
      () => this.settled(),
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
      redeliver: () => this.get(BotDispatcher).committed([this.record.getLast()]),
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
  async settled(): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    let quiet = 0;
    while (quiet < QUIET_TURNS) {
      quiet = (await this.isWriting()) || this.countWorking() > 0 ? 0 : quiet + 1;
      if (performance.now() > deadline) {
        throw new Error(
          'A handler is still at work after 10 s; advance the clock if it waits for its time to be up.',
        );
      }
    }
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

  /** Ends handlers that hang when the server has begun to stop: it would wait for them. */
  private async stop(): Promise<void> {
    const isStopped = this.server.stop().then(() => true);
    for (let turns = 0; !(await Promise.race([isStopped, turn()])); turns++) {
      if (turns < WAITING_TURNS) continue;
      if (this.faults.hangingCount > 0) this.faults.release();
      else this.clock.expire();
    }
  }

  /** Resolves when nothing happens any more, though a handler may be waiting for something. */
  private async paused(): Promise<void> {
    let quiet = 0;
    while (quiet < (this.countWorking() === 0 ? QUIET_TURNS : WAITING_TURNS)) {
      const before = this.countActs();
      const isWriting = await this.isWriting();
      quiet = isWriting || this.countActs() !== before ? 0 : quiet + 1;
    }
  }

  private countActs(): number {
    return this.record.count + this.faults.calls + this.clock.planned;
  }

  private countWorking(): number {
    return this.get(BotDispatcher).countBusy() - this.faults.hangingCount;
  }

  private async isWriting(): Promise<boolean> {
    await turn();
    const isDrained = this.get(Writer)
      .drained()
      .then(() => false);
    return Promise.race([isDrained, turn().then(() => true)]);
  }
}

/** Starts a server for the tests of bots, in which they are in every room with all scopes. */
export async function createBotHarness(options: BotHarnessOptions): Promise<BotHarness> {
  const harness = new BotHarness(options);
  await harness.start();
  return harness;
}

function nameOf(bot: BotSource): string {
  const type = typeof bot === 'function' ? bot : bot.constructor;
  const options = Reflect.getMetadata(BOT_OPTIONS, type) as BotOptions | undefined;
  if (options !== undefined) return options.name;
  throw new Error(`${type.name} is no bot: mark the class with @ChatBot(…).`);
}

/** Lets one turn of the event loop pass. */
function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
