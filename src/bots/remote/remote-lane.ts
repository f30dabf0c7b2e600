import type { LogEvent } from '../../protocol/events.js';
import type { AlarmEvent, BotEvent } from '../runtime/bot-event.js';
import { Acknowledger } from './acknowledger.js';

/** What a lane has done for it; neither ever rejects. */
export interface RemoteLaneOwner {
  /** Has the bot deal with an event; false if it could not, since the program ends. */
  deal(event: BotEvent): Promise<boolean>;
  /** Tells the server that everything up to a position is processed. */
  acknowledge(seq: number): Promise<void>;
}

/** Where an event is in the log of its room. */
type Place = Pick<LogEvent['data'], 'seq' | 'at'>;

const START: Place = { seq: 0, at: 0 };

/**
 * The events of one room for a bot of this program, dealt with one after another.
 *
 * The server delivers no more than `inFlight` of them at a time, and delivers those again that it
 * knows nothing of; here they are dealt with once, as long as the program runs.
 */
export class RemoteLane {
  private waiting: BotEvent[] = [];
  /** The latest event that came. */
  private taken = START;
  /** The latest event that the bot has begun to deal with. */
  private begun = START;
  /** The latest event that the bot has dealt with. */
  private done = START;
  private working: Promise<void> | null = null;
  private isStopped = false;
  private readonly acknowledger: Acknowledger;

  constructor(private readonly owner: RemoteLaneOwner) {
    this.acknowledger = new Acknowledger((seq) => owner.acknowledge(seq));
  }

  /** Whether something is dealt with or acknowledged. */
  get isBusy(): boolean {
    return this.working !== null || this.acknowledger.isBusy;
  }

  /** Takes the next event of the room. */
  push(event: LogEvent): void {
    if (this.isStopped) return;
    if (!isAfter(event.data, this.taken)) {
      // What is being dealt with is acknowledged when that is done.
      if (!isAfter(event.data, this.done)) this.acknowledger.acknowledge(this.done.seq);
      return;
    }
    this.taken = event.data;
    this.add(event);
  }

  /** Takes an alarm, which is in no log. */
  ring(alarm: AlarmEvent): void {
    if (!this.isStopped) this.add(alarm);
  }

  /** Drops what waits from the session before: the server delivers it again. */
  sessionOpened(): void {
    this.waiting = this.waiting.filter(({ event }) => event === 'alarm.due');
    this.taken = this.begun;
  }

  /** Begins with nothing more. */
  stop(): void {
    this.isStopped = true;
    this.waiting = [];
  }

  /** Resolves when what was begun is dealt with and acknowledged. */
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
      if (isLogged) this.begun = event.data;
      if (!(await this.owner.deal(event))) this.stop();
      else if (isLogged) this.finish(event.data);
    }
    this.working = null;
  }

  private finish(place: Place): void {
    this.done = place;
    this.acknowledger.acknowledge(place.seq);
  }
}

/** Tells whether an event is later than another one; also in a log that was made anew. */
function isAfter({ seq, at }: Place, than: Place): boolean {
  return seq > than.seq || at > than.at;
}
