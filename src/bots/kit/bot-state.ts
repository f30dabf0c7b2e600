import type { BotHost, StateChange, StateEntry, StateOwner } from './bot-host.js';

/** The state of a bot for one room or user; changes are stored if the handler succeeds. */
export interface BotState {
  get<T>(key: string): Promise<T | undefined>;
  /** Sets a key to a JSON value. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
  /** Lists all entries, sorted by key. */
  list<T>(): Promise<StateEntry<T>[]>;
}

/** Buffers the changes of one run of a handler; only the run itself sees them before they are stored. */
export class StateBuffer {
  private readonly changes = new Map<string, StateChange>();

  constructor(private readonly host: BotHost) {}

  /** Returns the state of a room or a user. */
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

  /** Stores all changes at once. */
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
