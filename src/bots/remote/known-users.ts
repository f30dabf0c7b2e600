import type { User } from '../../protocol/models.js';

const MOST = 1_000;

/** Users whom a bot has to do with, so that not each of their acts has to be asked about. */
export class KnownUsers {
  private readonly byId = new Map<string, User>();

  /** `find` asks the server for a user. */
  constructor(private readonly find: (id: string) => Promise<User | null>) {}

  /** Notes a user as the server showed one; the latest are kept. */
  note(user: User): void {
    this.byId.delete(user.id);
    this.byId.set(user.id, user);
    const [oldest] = this.byId.keys();
    if (this.byId.size > MOST && oldest !== undefined) this.byId.delete(oldest);
  }

  /** Gives a user; null if there is none. */
  async get(id: string): Promise<User | null> {
    const known = this.byId.get(id) ?? (await this.find(id));
    if (known !== null) this.note(known);
    return known;
  }
}
