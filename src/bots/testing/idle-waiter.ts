import { Writer } from '../../database/writer.js';
import { IdleTracker } from '../kit/idle-tracker.js';
import type { BotFaults } from './bot-faults.js';
import type { CommitRecord } from './commit-record.js';
import type { FakeBotClock } from './fake-bot-clock.js';
import type { HarnessProgram } from './harness-program.js';
import type { HarnessServer } from './harness-server.js';

/** Consecutive turns of the event loop without activity after which the harness is idle. */
const QUIET_TURNS = 3;
/** The same while a handler waits for something that the harness does not know. */
const WAITING_TURNS = 50;
const LIMIT_MS = 10_000;

/** An {@link IdleTracker} that also counts activity. */
export class ActivityTracker extends IdleTracker {
  /** Number of jobs that have started or resumed. */
  count = 0;

  protected override begin(): void {
    this.count++;
    super.begin();
  }
}

/** The parts of a harness in which work may be in progress. */
export interface IdleSources {
  readonly server: HarnessServer;
  /** The program in which the bots run; null if they run inside the server. */
  readonly program: HarnessProgram | null;
  readonly faults: BotFaults;
  readonly clock: FakeBotClock;
  readonly record: CommitRecord;
  /** Returns the tracker of the running server. */
  readonly tracker: () => ActivityTracker;
}

/** Waits until the server, the bots and the connections between them are idle. */
export class IdleWaiter {
  constructor(private readonly sources: IdleSources) {}

  /** Resolves when no work is left, except for handlers that a fault makes hang. */
  settled(): Promise<void> {
    return this.waitUntilIdle(() => false);
  }

  /** Resolves when no work is left, or the rest of it waits for the clock. */
  settledExceptTimers(): Promise<void> {
    const { clock } = this.sources;
    return this.waitUntilIdle(() => clock.isAwaited);
  }

  /** Resolves when nothing happens any more, even if a handler still waits for something. */
  async paused(): Promise<void> {
    let quiet = 0;
    while (quiet < (this.isIdle ? QUIET_TURNS : WAITING_TURNS)) {
      const before = this.countActivity();
      const isWriting = await this.isWriting();
      await this.sources.program?.roundTrip();
      quiet = isWriting || this.countActivity() !== before ? 0 : quiet + 1;
    }
  }

  /** Waits for a stop that lets handlers finish; ends those that hang when nothing else happens. */
  async stopped(stopping: Promise<void>): Promise<void> {
    const { program, faults, clock, tracker } = this.sources;
    const isStopped = stopping.then(() => true);
    const roundTrip = async () => {
      await program?.roundTrip();
      return turn();
    };
    for (let rounds = 0; !(await Promise.race([isStopped, roundTrip()])); rounds++) {
      if (rounds < WAITING_TURNS) continue;
      if (faults.isHanging) faults.release();
      else if (!tracker().isIdle) clock.expire();
    }
  }

  private async waitUntilIdle(mayWait: () => boolean): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    let quiet = 0;
    while (quiet < QUIET_TURNS) {
      quiet = (await this.isQuiet(mayWait)) ? quiet + 1 : 0;
      if (performance.now() > deadline) {
        throw new Error(
          'A handler is still running after 10 s; advance the clock if the handler waits for it.',
        );
      }
    }
  }

  /** Returns whether no work is in progress, nor on its way between the server and the program. */
  private async isQuiet(mayWait: () => boolean): Promise<boolean> {
    const { program, tracker } = this.sources;
    const before = tracker().count;
    const isDone = () => this.isIdle || mayWait();
    if ((await this.isWriting()) || !isDone()) return false;
    await program?.roundTrip();
    return isDone() && tracker().count === before;
  }

  private get isIdle(): boolean {
    const { program, tracker } = this.sources;
    return tracker().isIdle && program?.isRestarting !== true;
  }

  private countActivity(): number {
    const { record, faults, clock, tracker } = this.sources;
    return record.count + faults.calls + clock.scheduled + tracker().count;
  }

  private async isWriting(): Promise<boolean> {
    await turn();
    const writer = this.sources.server.app.get(Writer);
    const isDrained = writer.drained().then(() => false);
    return Promise.race([isDrained, turn().then(() => true)]);
  }
}

/** Waits for the next turn of the event loop. */
function turn(): Promise<false> {
  return new Promise((resolve) => setImmediate(() => resolve(false)));
}
