import type { LogEvent } from '../../protocol/events.js';
import type { AlarmEvent, BotEvent } from '../kit/bot-event.js';
import { Acknowledger } from './acknowledger.js';

/** The callbacks of a lane; they never reject. */
export interface StandaloneLaneOwner {
  /** Handles an event; resolves to false if the program ends before it could. */
  handle(event: BotEvent): Promise<boolean>;
  /** Acknowledges everything up to a position. */
  acknowledge(seq: number): Promise<void>;
}

/** Position of an event in the log of its room. */
type EventPosition = Pick<LogEvent['data'], 'seq' | 'at'>;

const START: EventPosition = { seq: 0, at: 0 };

/**
 * Handles the events of one room for a bot of this program, one after another.
 *
 * The server delivers at most `inFlight` events at a time, and delivers unacknowledged events again
 * after a reconnect; the lane handles each of them once.
 */
export class StandaloneLane {
  private waiting: BotEvent[] = [];
  /** The latest event that arrived. */
  private received = START;
  /** The latest event whose handling has started. */
  private started = START;
  /** The latest event that was handled. */
  private done = START;
  private working: Promise<void> | null = null;
  private isStopped = false;
  private readonly acknowledger: Acknowledger;

  constructor(private readonly owner: StandaloneLaneOwner) {
    this.acknowledger = new Acknowledger((seq) => owner.acknowledge(seq));
  }

  /** Whether an event is being handled or acknowledged. */
  get isBusy(): boolean {
    return this.working !== null || this.acknowledger.isBusy;
  }

  /** Queues the next event of the room. */
  push(event: LogEvent): void {
    if (this.isStopped) return;
    if (!isAfter(event.data, this.received)) {
      // An event that is being handled is acknowledged afterwards.
      if (!isAfter(event.data, this.done)) this.acknowledger.acknowledge(this.done.seq);
      return;
    }
    this.received = event.data;
    this.add(event);
  }

  /** Queues an alarm, which is in no log. */
  pushAlarm(alarm: AlarmEvent): void {
    if (!this.isStopped) this.add(alarm);
  }

  /** Discards the waiting events of the previous session: the server delivers them again. */
  sessionOpened(): void {
    this.waiting = this.waiting.filter(({ event }) => event === 'alarm.due');
    this.received = this.started;
  }

  /** Stops after the current event. */
  stop(): void {
    this.isStopped = true;
    this.waiting = [];
  }

  /** Resolves when everything is handled and acknowledged. */
  async settled(): Promise<void> {
    while (this.working !== null) await this.working;
    await this.acknowledger.settled();
  }

  private add(event: BotEvent): void {
    this.waiting.push(event);
    this.working ??= this.work();
  }

  private async work(): Promise<void> {
    for (let event = this.waiting.shift(); event !== undefined; event = this.waiting.shift()) {
      const isLogged = event.event !== 'alarm.due';
      if (isLogged) this.started = event.data;
      if (!(await this.owner.handle(event))) this.stop();
      else if (isLogged) this.finish(event.data);
    }
    this.working = null;
  }

  private finish(position: EventPosition): void {
    this.done = position;
    this.acknowledger.acknowledge(position.seq);
  }
}

/** Returns whether an event is later than another one, even if the log was recreated between. */
function isAfter({ seq, at }: EventPosition, than: EventPosition): boolean {
  return seq > than.seq || at > than.at;
}
