import type { BotHost, StateChange, StateEntry, StateOwner } from './bot-host.js';

/** Values of a bot for one room or one user; what is set is stored if the handler succeeds. */
export interface BotState {
  get<T>(key: string): Promise<T | undefined>;
  /** Takes what JSON can carry. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
  /** Gives all that is kept, by key. */
  list<T>(): Promise<StateEntry<T>[]>;
}

/** State as one run of a handler sees it: its own changes at once, everybody else after it. */
export class StateBuffer {
  private readonly changes = new Map<string, StateChange>();

  constructor(private readonly host: BotHost) {}

  /** Gives the state of a room or a user. */
  of(owner: StateOwner): BotState {
    const id = (key: string) => JSON.stringify([owner, key]);
    const change = (key: string, value: unknown) => {
      const copy = value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
      this.changes.set(id(key), { owner, key, value: copy });
    };
    return {
      get: async <T>(key: string) => {
        const changed = this.changes.get(id(key));
        const value = changed === undefined ? await this.host.readState(owner, key) : changed.value;
        return value as T | undefined;
      },
      set: change,
      delete: (key) => change(key, undefined),
      list: async <T>() => (await this.list(owner)) as StateEntry<T>[],
    };
  }

  /** Stores what was changed, as one. */
  async flush(): Promise<void> {
    if (this.changes.size > 0) await this.host.writeState([...this.changes.values()]);
  }

  private async list(owner: StateOwner): Promise<StateEntry[]> {
    const stored = await this.host.listState(owner);
    const values = new Map(stored.map(({ key, value }) => [key, value]));
    for (const change of this.changes.values()) {
      if (JSON.stringify(change.owner) === JSON.stringify(owner)) {
        values.set(change.key, change.value);
      }
    }
    const set = [...values].filter(([, value]) => value !== undefined);
    return set.map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}
