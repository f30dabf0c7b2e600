import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { User } from '../protocol/models.js';
import type { Actor } from '../users/actor.js';
import type { Connection } from './connection.js';
import { PresentUser } from './session.js';
import { TokenBucket, type BucketRate } from './token-bucket.js';

const RESTING_USERS = 100_000;
const SECONDS_PER_HOUR = 3_600;

/** The users who are here, with all their connections. */
@Injectable()
export class PresentUsers {
  private readonly users = new Map<string, PresentUser>();
  /** Users who have gone but whose rates still count, those who left first in front. */
  private readonly resting = new Map<string, PresentUser>();
  private readonly messageRate: BucketRate;
  private readonly roomRate: BucketRate;

  constructor(@Inject(CONFIG) { limits }: Config) {
    this.messageRate = { perSecond: limits.messagesPerSecond, burst: limits.messagesBurst };
    this.roomRate = {
      perSecond: limits.roomsPerHour / SECONDS_PER_HOUR,
      burst: limits.roomsPerHour,
    };
  }

  /** Finds a user who is here. */
  find(id: string): PresentUser | undefined {
    return this.users.get(id);
  }

  /** Gives the user that a new session belongs to, with the newest known name. */
  enter(actor: Actor): PresentUser {
    let user = this.users.get(actor.id) ?? this.resting.get(actor.id);
    this.resting.delete(actor.id);
    if (user === undefined) {
      const { id, name, kind, ownEpoch } = actor;
      const messages = new TokenBucket(this.messageRate);
      user = new PresentUser(id, name, kind, ownEpoch, messages, this.roomRate);
    }
    this.users.set(actor.id, user);
    return user;
  }

  /** Removes a user whose last connection has gone, unless the user is here anew. */
  leave(user: PresentUser): void {
    if (user.connections.length > 0 || this.users.get(user.id) !== user) return;
    this.users.delete(user.id);
    if (!user.isRested()) this.resting.set(user.id, user);
    for (const [id, gone] of this.resting) {
      if (!gone.isRested() && this.resting.size <= RESTING_USERS) break;
      this.resting.delete(id);
    }
  }

  /** Gives a user who is here another name. */
  rename({ id, name }: User): void {
    const user = this.users.get(id);
    if (user !== undefined) user.name = name;
  }

  /** Lists the ids of all users who are here. */
  ids(): string[] {
    return [...this.users.keys()];
  }

  /** Lists the connections of all users. */
  *connections(): Generator<Connection> {
    for (const user of [...this.users.values()]) yield* user.connections;
  }
}
