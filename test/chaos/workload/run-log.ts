import { Conditions } from '../../support/conditions.js';
import type { Moment } from '../evidence.js';

/** Record that all clients of a run share: the order of moments, and faults that clients see. */
export class RunLog {
  /** Violations that a client notices by itself. */
  readonly complaints: string[] = [];
  /** Woken when a command of any client has ended. */
  readonly progress = new Conditions();
  private moment = 0;
  private connections = 0;

  /** Returns the next moment. */
  now(): Moment {
    return ++this.moment;
  }

  /** Returns the number of a new connection. */
  nextConnection(): number {
    return ++this.connections;
  }
}
