import type { BotState } from './bot-state.js';

const MAX_KEY = 32;

/** A time at which a bot is called in a room. */
export interface BotAlarm<T = unknown> {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: T;
}

/**
 * Alarms of a bot in a room, which call its `@OnAlarm()` handler.
 *
 * They are stored like state: changes apply if the handler succeeds, and survive a restart. An
 * alarm is deleted when its handler has succeeded.
 */
export class BotAlarms {
  constructor(private readonly state: BotState) {}

  /** Sets an alarm, and replaces one with the same key. */
  set(key: string, at: number, value: unknown = null): void {
    if (key.length === 0 || key.length > MAX_KEY) {
      throw new RangeError(`The key of an alarm must have 1 to ${String(MAX_KEY)} characters.`);
    }
    this.state.set(key, { at: Math.round(at), value });
  }

  /** Cancels an alarm. */
  clear(key: string): void {
    this.state.delete(key);
  }

  /** Lists the alarms, earliest first. */
  async list<T>(): Promise<BotAlarm<T>[]> {
    const entries = await this.state.list<Omit<BotAlarm<T>, 'key'>>();
    return entries
      .map(({ key, value }) => ({ key, ...value }))
      .sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  }
}
