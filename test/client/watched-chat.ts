import {
  connect,
  type Chat,
  type ChatOptions,
  type Gap,
  type RoomEvent,
} from '../../client/index.js';
import type { Status } from '../../client/index.js';
import type { RoomCut } from '#src/protocol/models.js';
import { Conditions } from '../support/conditions.js';

const WAIT_MS = 30_000;

/** A client, and all events that it has emitted so far. */
export class WatchedChat {
  readonly chat: Chat;
  /** The cut that the client got when it joined its room. */
  cut: RoomCut | undefined;
  readonly events: RoomEvent[] = [];
  readonly gaps: Gap[] = [];
  readonly statuses: Status[] = [];
  readonly errors: unknown[] = [];
  readonly tokens: string[] = [];
  private readonly conditions = new Conditions();

  constructor(options: ChatOptions) {
    this.chat = connect({
      reconnectDelays: { firstMs: 20, longestMs: 200 },
      onToken: (token) => this.record(this.tokens, token),
      ...options,
    });
    this.chat.on('event', (event) => this.record(this.events, event));
    this.chat.on('gap', (gap) => this.record(this.gaps, gap));
    this.chat.on('status', (status) => this.record(this.statuses, status));
    this.chat.on('error', (error) => this.record(this.errors, error));
  }

  /** Returns the delivered events of the log of a room. */
  logged(room: string): RoomEvent[] {
    return this.events.filter(({ data }) => data.room === room && 'seq' in data);
  }

  /** Returns the positions of {@link logged}. */
  seqs(room: string): number[] {
    return this.logged(room).map(({ data }) => ('seq' in data ? data.seq : 0));
  }

  /** Waits until an event at this position or a later one was delivered. */
  untilEvent(room: string, seq: number): Promise<void> {
    return this.until(() => (this.seqs(room).at(-1) ?? 0) >= seq, `event ${String(seq)}`);
  }

  /** Waits for the status of a name, after `from` statuses. */
  async untilStatus<N extends Status['name']>(
    name: N,
    from = 0,
  ): Promise<Extract<Status, { name: N }>> {
    const find = () => this.statuses.slice(from).find((status) => status.name === name);
    await this.until(() => find() !== undefined, `the status ${name}`);
    return find() as Extract<Status, { name: N }>;
  }

  /** Waits for a condition; it is checked after each event, status, gap, error and token. */
  until(test: () => boolean, what: string): Promise<void> {
    return this.conditions.until(test, what, WAIT_MS);
  }

  private record<T>(list: T[], item: T): void {
    list.push(item);
    this.conditions.wake();
  }
}
