import type { Connection } from '../connections/connection.js';
import type { Link, Sink } from '../connections/transport.js';

/** Token of the {@link DialectPort}; null without dialects. `parlance.module.ts` binds it. */
export const DIALECT_PORT = Symbol('DialectPort');

/** The side of the core of a connection that a dialect translates for. */
export interface Intake extends Sink {
  readonly connection: Connection;
  /** Charges one command to the rate of the connection; returns the milliseconds to wait, or 0. */
  charge(): number;
}

/** Opens a connection over a link; undefined if it was refused and closed. */
export type OpenConnection = (link: Link) => Intake | undefined;

/** Translates for clients that do not know hello (P-10.7). */
export interface DialectPort {
  /** Accepts a link whose client may speak a dialect. */
  accept(link: Link, open: OpenConnection): Sink | undefined;
  /** Returns whether a connection receives the default room without a session. */
  isObserver(connection: Connection): boolean;
  /** Resolves when everything a connection has sent is answered; undefined if it is now. */
  drained(connection: Connection): Promise<void> | undefined;
}
