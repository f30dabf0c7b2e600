import { setTimeout as delay } from 'node:timers/promises';

import type { LogEvent } from '../../../protocol/events.js';
import type { AlarmEvent, BotEvent } from '../../kit/bot-event.js';
import type { IdleTracker } from '../../kit/idle-tracker.js';

const MAX_WAITING = 64;
const PAGE = 64;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

let turn: Promise<void> | null = null;

/** Resolves in the next turn of the event loop; all lanes share one timer. */
function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) =>
    setImmediate(() => {
      turn = null;
      resolve();
    }),
  );
  return turn;
}

/** The callbacks of a lane. */
export interface LaneOwner {
  /** Handles an event; throws only if it has not started to. */
  handle(event: LogEvent): Promise<void>;
  /** Handles an alarm; throws only if it has not started to. */
  handleAlarm?(alarm: AlarmEvent): Promise<void>;
  /** Whether the bot rests: events are then neither kept nor read. */
  isResting?(): boolean;
  /** Reads up to `limit` events of the room after a position. */
  read(after: number, limit: number): Promise<readonly LogEvent[]>;
  /** Called when an event could not be handled; the lane retries after a pause. */
  failed(error: unknown): void;
  /** Called when no work is left. */
  emptied?(): void;
  /** Whether `push` is never called in the same turn as a commit. */
  readonly mayBeginAtOnce?: boolean;
}

/**
 * Handles the events of one room for one bot, one after another.
 *
 * The queue is bounded: a full lane remembers its position and continues from the log.
 */
export class BotLane {
  private waiting: BotEvent[] = [];
  /** Position after which events have to be read from the log; null if the queue has them all. */
  private behind: number | null = null;
  /** Position of the latest event. */
  private head = 0;
  private working: Promise<void> | null = null;
  private stopped = false;

  /** With a position, the lane starts after it; otherwise with the first pushed event. */
  constructor(
    private readonly owner: LaneOwner,
    private readonly idle: IdleTracker,
    after?: { readonly seq: number; readonly head: number },
  ) {
    if (after === undefined || after.seq >= after.head) return;
    this.behind = after.seq;
    this.head = after.head;
    this.start();
  }

  /** Whether the lane was stopped, perhaps before it had handled everything. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Stops after the current event. */
  stop(): void {
    this.stopped = true;
    this.waiting = [];
    this.behind = null;
  }

  /** Queues the next event of the room that the bot may see. */
  push(event: LogEvent): void {
    if (this.stopped) return;
    this.head = event.data.seq;
    if (this.behind === null && this.waiting.length >= MAX_WAITING) {
      this.behind = event.data.seq - 1;
    }
    if (this.behind === null) this.waiting.push(event);
    this.start();
  }

  /** Queues an alarm, which is in no log. */
  pushAlarm(alarm: AlarmEvent): void {
    if (this.stopped) return;
    this.waiting.push(alarm);
    this.start();
  }

  /** Resolves when everything is handled. */
  async settled(): Promise<void> {
    while (this.working !== null) await this.working;
  }

  private start(): void {
    this.working ??= this.idle.track(this.work());
  }

  private async work(): Promise<void> {
    // Not in the turn of the commit: a send never waits for a bot.
    await (this.owner.mayBeginAtOnce === true ? undefined : nextTurn());
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.stopped && (this.waiting.length > 0 || this.behind !== null)) {
      try {
        await this.handleNext();
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.owner.failed(error);
        await delay(pauseMs, undefined, { ref: false });
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
    this.working = null;
    this.owner.emptied?.();
  }

  /** Handles the first event; one that fails stays first, so that the order is kept. */
  private async handleNext(): Promise<void> {
    if (this.owner.isResting?.() === true) this.skip();
    const [event] = this.waiting;
    if (event?.event === 'alarm.due') await this.owner.handleAlarm?.(event);
    else if (event !== undefined) await this.owner.handle(event);
    else if (this.behind !== null) await this.catchUp(this.behind);
    if (event !== undefined) this.waiting.shift();
  }

  /** Drops the events of the log, but keeps alarms. */
  private skip(): void {
    this.behind = null;
    this.waiting = this.waiting.filter(({ event }) => event === 'alarm.due');
  }

  private async catchUp(after: number): Promise<void> {
    const { head } = this;
    const events = await this.owner.read(after, PAGE);
    if (this.stopped) return;
    const reached = events.at(-1)?.data.seq ?? head;
    // Events that were pushed during the read are in the log too, and are read next.
    this.behind = reached >= this.head ? null : reached;
    this.waiting.push(...events);
  }
}
