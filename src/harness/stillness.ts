import { BotAlarmClock } from '../bots/bot-alarm-clock.js';
import { BotDispatcher } from '../bots/bot-dispatcher.js';
import { RemoteBotAlarms } from '../bots/remote-bot-alarms.js';
import { RemoteBots } from '../bots/remote-bots.service.js';
import { Writer } from '../database/writer.js';
import type { BotFaults } from './bot-faults.js';
import type { CommitRecord } from './commit-record.js';
import type { FakeBotClock } from './fake-bot-clock.js';
import type { HarnessBots } from './harness-bots.js';
import type { HarnessServer } from './harness-server.js';

/** Turns of the event loop in which nothing may happen before all is taken to be done. */
const QUIET_TURNS = 3;
/** The same while a handler waits for something that nobody knows. */
const WAITING_TURNS = 50;
const LIMIT_MS = 10_000;

/** Where something may go on. */
export interface Places {
  readonly server: HarnessServer;
  readonly bots: HarnessBots;
  readonly faults: BotFaults;
  readonly clock: FakeBotClock;
  readonly record: CommitRecord;
}

/** Knows when nothing goes on any more, in the server, at its bots and between them. */
export class Stillness {
  constructor(private readonly places: Places) {}

  /** Resolves when nothing is left to do, but for handlers that a fault lets hang. */
  settled(): Promise<void> {
    return this.settledBut(() => false);
  }

  /** Resolves when nothing is left to do, or what is left waits for the clock. */
  settledButForClock(): Promise<void> {
    return this.settledBut(() => this.isWaitingForClock());
  }

  /** Resolves when nothing happens any more, though a handler may be waiting for something. */
  async paused(): Promise<void> {
    let quiet = 0;
    while (quiet < (this.countWorking() === 0 ? QUIET_TURNS : WAITING_TURNS)) {
      const before = this.countActs();
      const isWriting = await this.isWriting();
      await this.places.bots.arrived();
      quiet = isWriting || this.countActs() !== before ? 0 : quiet + 1;
    }
  }

  /**
   * Waits for something that stops and lets handlers come to their end: those that hang are ended
   * when nothing happens any more.
   */
  async ended(stopping: Promise<void>, isBusy: () => boolean): Promise<void> {
    const { bots, faults, clock } = this.places;
    const isStopped = stopping.then(() => true);
    const isOver = () => Promise.race([isStopped, bots.arrived().then(turn)]);
    for (let rounds = 0; !(await isOver()); rounds++) {
      if (rounds < WAITING_TURNS || !isBusy()) continue;
      if (faults.hangingCount > 0) faults.release();
      else clock.expire();
    }
  }

  private async settledBut(mayWait: () => boolean): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    let quiet = 0;
    while (quiet < QUIET_TURNS) {
      quiet = (await this.isAtRest(mayWait)) ? quiet + 1 : 0;
      if (performance.now() > deadline) {
        throw new Error(
          'A handler is still at work after 10 s; advance the clock if it waits for that.',
        );
      }
    }
  }

  /** What was on its way before it was asked, has arrived after. */
  private async isAtRest(mayWait: () => boolean): Promise<boolean> {
    const { bots } = this.places;
    const { received } = bots;
    const isIdle = () => this.countWorking() === 0 || mayWait();
    if ((await this.isWriting()) || !isIdle()) return false;
    await bots.arrived();
    return isIdle() && bots.received === received;
  }

  /** Tells whether the clock has more to do than to ring alarms and to end handlers. */
  private isWaitingForClock(): boolean {
    const { bots, clock } = this.places;
    const armed = this.get(BotAlarmClock).countArmed();
    return clock.pending > armed + this.get(BotDispatcher).countBusy() + bots.countTimers();
  }

  private countActs(): number {
    const { record, faults, clock, bots } = this.places;
    return record.count + faults.calls + clock.planned + bots.received;
  }

  private countWorking(): number {
    const { bots, faults } = this.places;
    const types = [BotDispatcher, RemoteBots, RemoteBotAlarms];
    const parts = [bots, ...types.map((type) => this.get<{ countBusy(): number }>(type))];
    return parts.reduce((sum, part) => sum + part.countBusy(), -faults.hangingCount);
  }

  private async isWriting(): Promise<boolean> {
    await turn();
    const isDrained = this.get(Writer)
      .drained()
      .then(() => false);
    return Promise.race([isDrained, turn().then(() => true)]);
  }

  private get<T>(type: new (...args: never[]) => T): T {
    return this.places.server.app.get<T>(type);
  }
}

/** Lets one turn of the event loop pass. */
function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
