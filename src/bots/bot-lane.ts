import type { LogEvent } from '../protocol/events.js';
import type { AlarmEvent, BotEvent } from './runtime/bot-event.js';

const MAX_WAITING = 64;
const PAGE = 64;

/** What a lane needs of its server. */
export interface LaneOwner {
  /** Has the bot deal with an event; never throws. */
  deal(event: LogEvent): Promise<void>;
  /** Has the bot deal with an alarm; never throws. */
  ring?(alarm: AlarmEvent): Promise<void>;
  /** Reads events of the room after a position, at most so many. */
  read(after: number, limit: number): Promise<readonly LogEvent[]>;
  /** Learns that events could not be read; they are tried again with the next one. */
  failed(error: unknown): void;
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
    await new Promise<void>((resolve) => setImmediate(resolve));
    try {
      while (!this.stopped) {
        const event = this.waiting.shift();
        if (event?.event === 'alarm.due') await this.owner.ring?.(event);
        else if (event !== undefined) await this.owner.deal(event);
        else if (this.behind !== null) await this.catchUp(this.behind);
        else break;
      }
    } catch (error) {
      this.owner.failed(error);
    } finally {
      this.working = null;
    }
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
