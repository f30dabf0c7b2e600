import type { BotHost, StateChange, StateOwner } from './bot-host.js';

/** Values of a bot for one room or one user; what is set is stored if the handler succeeds. */
export interface BotState {
  get<T>(key: string): Promise<T | undefined>;
  /** Takes what JSON can carry. */
  set(key: string, value: unknown): void;
  delete(key: string): void;
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
    };
  }

  /** Stores what was changed, as one. */
  async flush(): Promise<void> {
    if (this.changes.size > 0) await this.host.writeState([...this.changes.values()]);
  }
}
