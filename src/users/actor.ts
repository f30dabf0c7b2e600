import type { User } from '../protocol/models.js';

/** Who does something: a user as a session knows it. */
export interface Actor {
  readonly id: string;
  /** The name of now; a rename changes it within its transaction. */
  name: string;
  readonly kind: User['kind'];
  /** Epoch of the user's own log, made with the user (P-5.14). */
  readonly ownEpoch: string;
  /** Whether the user is known to be in the database; spares a query on the path of a message. */
  isStored?: boolean;
}

/** Who calls a service, and whom to tell that a write has its place in the order (P-3.4). */
export interface Caller {
  readonly actor: Actor;
  readonly placed: () => void;
  /** For a bot from afar: the hops of what it may be answering, if it names no cause (P-13.7). */
  readonly givenHops?: number | undefined;
}

/** Gives the user as everybody may see it. */
export function toUser(actor: Actor): User {
  return { id: actor.id, name: actor.name, kind: actor.kind };
}

const OWN_LOG = '@me:';

/** Key under which the own log of a user is stored (P-5.14). */
export function ownLog(userId: string): string {
  return OWN_LOG + userId;
}

/** Gives the user whose own log this is; null for the log of a room. */
export function ownerOfLog(log: string): string | null {
  return log.startsWith(OWN_LOG) ? log.slice(OWN_LOG.length) : null;
}
