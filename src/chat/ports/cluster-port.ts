import type { User } from '../../protocol/models.js';

/** Token of the {@link ClusterPort}; null for a single server. `parlance.module.ts` binds it. */
export const CLUSTER_PORT = Symbol('ClusterPort');

/** The other servers on the database. */
export interface ClusterPort {
  /** Tells that a user of this server types in a room, or stopped. */
  typing(room: string, user: User, isActive: boolean): void;
  /** Returns whether the message bus is away, so that events of other servers come late. */
  isBusAway(): boolean;
}
