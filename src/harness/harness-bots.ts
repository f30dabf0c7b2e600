import type { AppendedEvent } from '../database/writer.js';

/** Where the bots under test run: inside the server, or as a program of their own. */
export interface HarnessBots {
  /** How many events came over a connection. */
  readonly received: number;
  /** Runs the bots, once the server runs. */
  start(): Promise<void>;
  /** Ends the bots, before the server ends; lets their handlers come to an end. */
  stop(): Promise<void>;
  /** Has an event delivered once more. */
  redeliver(event: AppendedEvent): void;
  /** Counts what they are at, outside the server. */
  countBusy(): number;
  /** Counts what they have planned by the clock, outside the server. */
  countTimers(): number;
  /** Resolves when what was on its way between them and the server has arrived. */
  arrived(): Promise<void>;
}
