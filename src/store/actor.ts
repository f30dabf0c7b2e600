import type { Fence } from '../database/lease.js';
import type { NewLog } from '../database/write-job.js';
import type { User } from '../protocol/models.js';

/** A user who acts, as a session knows them. */
export interface Actor {
  readonly id: string;
  /** Current name; a rename changes it within its transaction. */
  name: string;
  readonly kind: User['kind'];
  /** Epoch of the user's own log, made with the user (P-5.14). */
  readonly ownEpoch: string;
  /** Whether the user is known to be stored; saves a query on the path of a message. */
  isStored?: boolean;
}

/** The caller of a service. */
export interface Caller {
  readonly actor: Actor;
  /** Called once the write is queued, which fixes its order (P-3.4). */
  readonly onQueued: () => void;
  /** Hops assumed for a message of a remote bot that names no cause (P-13.7). */
  readonly assumedHops?: number | undefined;
  /** Check of a bot that only one of several servers runs, before it changes anything. */
  readonly fence?: Fence | undefined;
}

/** Returns the public part of an actor. */
export function toUser(actor: Actor): User {
  return { id: actor.id, name: actor.name, kind: actor.kind };
}

const OWN_LOG = '@me:';

/** Returns the key of the own log of a user (P-5.14). */
export function ownLog(userId: string): string {
  return OWN_LOG + userId;
}

/** Returns the id of the user whose own log it is; null for the log of a room. */
export function ownerOfLog(log: string): string | null {
  return log.startsWith(OWN_LOG) ? log.slice(OWN_LOG.length) : null;
}

/** Declares the own log of a user who may not be stored yet. */
export function declareOwnLog({ id, ownEpoch }: Actor): NewLog {
  return { log: ownLog(id), epoch: ownEpoch, owner: id };
}
