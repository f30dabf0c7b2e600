import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { User } from '../../protocol/models.js';
import type { Actor } from '../../store/actor.js';
import type { Connection } from './connection.js';
import { PresentUser, type UserRates } from './session.js';

const RESTING_USERS = 100_000;
const SECONDS_PER_HOUR = 3_600;
const NONE: readonly Connection[] = [];

interface Entry {
  readonly user: PresentUser;
  /** Replaced at each change, so that it can be iterated while connections end. */
  connections: readonly Connection[];
}

/** The users with open connections, and those connections. */
@Injectable()
export class PresentUsers {
  private readonly entries = new Map<string, Entry>();
  /** Users without connections whose rates still count, in the order of leaving. */
  private readonly resting = new Map<string, PresentUser>();
  private readonly rates: UserRates;

  constructor(@Inject(CONFIG) { limits }: Config) {
    this.rates = {
      messages: { perSecond: limits.messagesPerSecond, burst: limits.messagesBurst },
      rooms: { perSecond: limits.roomsPerHour / SECONDS_PER_HOUR, burst: limits.roomsPerHour },
      reads: { perSecond: limits.readBytesPerSecond, burst: limits.readBytesBurst },
    };
  }

  /** Finds a user with an open connection. */
  find(id: string): PresentUser | undefined {
    return this.entries.get(id)?.user;
  }

  /** Returns the open connections of a user. */
  connectionsOf(id: string): readonly Connection[] {
    return this.entries.get(id)?.connections ?? NONE;
  }

  /** Adds a connection of a user; returns null if the user has `max` of them already. */
  add(actor: Actor, connection: Connection, max: number): PresentUser | null {
    const { user, connections } = this.entries.get(actor.id) ?? {
      user: this.resting.get(actor.id) ?? new PresentUser(actor, this.rates),
      connections: NONE,
    };
    if (connections.length >= max) return null;
    this.resting.delete(user.id);
    this.entries.set(user.id, { user, connections: [...connections, connection] });
    return user;
  }

  /** Removes a connection of a user; returns true if it was the last one. */
  remove(user: PresentUser, connection: Connection): boolean {
    const entry = this.entries.get(user.id);
    if (entry?.user !== user) return false;
    entry.connections = entry.connections.filter((one) => one !== connection);
    if (entry.connections.length > 0) return false;
    this.entries.delete(user.id);
    if (!user.isRested()) this.resting.set(user.id, user);
    for (const [id, gone] of this.resting) {
      if (!gone.isRested() && this.resting.size <= RESTING_USERS) break;
      this.resting.delete(id);
    }
    return true;
  }

  /** Changes the name of a present user. */
  rename({ id, name }: User): void {
    const user = this.find(id);
    if (user !== undefined) user.name = name;
  }

  /** Lists the ids of all present users. */
  ids(): string[] {
    return [...this.entries.keys()];
  }

  /** Lists the connections of all present users. */
  *connections(): Generator<Connection> {
    for (const { connections } of [...this.entries.values()]) yield* connections;
  }
}
