import { LRUCache } from 'lru-cache';

import type { User } from '../../protocol/models.js';

const MAX_USERS = 1_000;

/** A cache of the users that a bot has met, so that it does not look up each author. */
export class KnownUsers {
  private readonly byId = new LRUCache<string, User>({ max: MAX_USERS });

  /** `find` asks the server for a user. */
  constructor(private readonly find: (id: string) => Promise<User | null>) {}

  /** Adds or updates a user. */
  add(user: User): void {
    this.byId.set(user.id, user);
  }

  /** Finds a user; null if there is none. */
  async get(id: string): Promise<User | null> {
    const user = this.byId.get(id) ?? (await this.find(id));
    if (user !== null) this.add(user);
    return user;
  }
}
