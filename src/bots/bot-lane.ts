import { setTimeout as delay } from 'node:timers/promises';

import type { LogEvent } from '../protocol/events.js';
import type { AlarmEvent, BotEvent } from './runtime/bot-event.js';

const MAX_WAITING = 64;
const PAGE = 64;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

let turn: Promise<void> | null = null;

/** Resolves in the next turn of the event loop; one wait for all lanes that ask for it. */
function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) =>
    setImmediate(() => {
      turn = null;
      resolve();
    }),
  );
  return turn;
}

/** What a lane needs of its server. */
export interface LaneOwner {
  /** Has the bot deal with an event; throws only before it has begun. */
  deal(event: LogEvent): Promise<void>;
  /** Has the bot deal with an alarm; throws only before it has begun. */
  ring?(alarm: AlarmEvent): Promise<void>;
  /** Whether the bot is given nothing for now: then nothing is kept or read for it. */
  isResting?(): boolean;
  /** Reads events of the room after a position, at most so many. */
  read(after: number, limit: number): Promise<readonly LogEvent[]>;
  /** Learns that something could not be dealt with; it is tried again after a pause. */
  failed(error: unknown): void;
  /** Learns that nothing is left to do. */
  emptied?(): void;
  /** Whether what it is given never comes in the turn of a commit. */
  readonly mayBeginAtOnce?: boolean;
}

/**
 * The events of one room for one bot, dealt with one after another.
 *
 * What waits is bounded: a lane that is full keeps its place and reads on from the log.
 */
export class BotLane {
  private waiting: BotEvent[] = [];
  /** Position after which events have to be read from the log; null if all are waiting here. */
  private behind: number | null = null;
  /** Position of the latest event. */
  private head = 0;
  private working: Promise<void> | null = null;

  private stopped = false;

  /** With a position, the lane begins after it; otherwise with what is pushed. */
  constructor(
    private readonly owner: LaneOwner,
    after?: { readonly seq: number; readonly head: number },
  ) {
    if (after === undefined || after.seq >= after.head) return;
    this.behind = after.seq;
    this.head = after.head;
    this.working = this.work();
  }

  /** Deals with nothing more. */
  stop(): void {
    this.stopped = true;
    this.waiting = [];
    this.behind = null;
  }

  /** Takes the next event of the room that the bot may see. */
  push(event: LogEvent): void {
    if (this.stopped) return;
    this.head = event.data.seq;
    if (this.behind === null && this.waiting.length >= MAX_WAITING) {
      this.behind = event.data.seq - 1;
    }
    if (this.behind === null) this.waiting.push(event);
    this.working ??= this.work();
  }

  /** Takes an alarm, which is in no log. */
  ring(alarm: AlarmEvent): void {
    if (this.stopped) return;
    this.waiting.push(alarm);
    this.working ??= this.work();
  }

  /** Whether something is being dealt with. */
  get isBusy(): boolean {
    return this.working !== null;
  }

  /** Resolves when everything is dealt with. */
  async settled(): Promise<void> {
    while (this.working !== null) await this.working;
  }

  private async work(): Promise<void> {
    // Not in the turn of the commit: a send never waits for a bot.
    await (this.owner.mayBeginAtOnce === true ? undefined : nextTurn());
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.stopped && (this.waiting.length > 0 || this.behind !== null)) {
      try {
        await this.dealWithNext();
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

  /** What cannot be dealt with stays where it is, and nothing after it is dealt with before. */
  private async dealWithNext(): Promise<void> {
    if (this.owner.isResting?.() === true) this.skip();
    const [event] = this.waiting;
    if (event?.event === 'alarm.due') await this.owner.ring?.(event);
    else if (event !== undefined) await this.owner.deal(event);
    else if (this.behind !== null) await this.catchUp(this.behind);
    if (event !== undefined) this.waiting.shift();
  }

  /** Leaves out what is in the log, but no alarm. */
  private skip(): void {
    this.behind = null;
    this.waiting = this.waiting.filter(({ event }) => event === 'alarm.due');
  }

  private async catchUp(after: number): Promise<void> {
    const { head } = this;
    const events = await this.owner.read(after, PAGE);
    if (this.stopped) return;
    const reached = events.at(-1)?.data.seq ?? head;
    // What came while this was read is in the log too, and read next.
    this.behind = reached >= this.head ? null : reached;
    this.waiting.push(...events);
  }
}
