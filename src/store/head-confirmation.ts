import { Injectable } from '@nestjs/common';

import { Database } from '../database/database.js';
import { LogFeed } from './log-feed.js';

/** The logs that were confirmed for one command: since it arrived, memory has what it must show. */
export type ConfirmedLogs = Set<string>;

/** Logs that wait for the next query. */
interface Batch {
  readonly logs: Set<string>;
  readonly done: Promise<void>;
}

/**
 * Makes memory as new as the database was when a command arrived.
 *
 * A server that alone writes to its database knows all commits. Servers that share a database ask
 * for the heads of the logs, by a query that starts after the command arrived. Commands that wait
 * share one query.
 */
@Injectable()
export class HeadConfirmation {
  private waiting: Batch | null = null;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly feed: LogFeed,
  ) {}

  /** Whether other servers write to the database too. */
  get isShared(): boolean {
    return this.database.isShared;
  }

  /**
   * Resolves when memory has all events of a log that were committed before this call; returns
   * undefined if it has them, or if nothing of the log is in memory.
   *
   * Rejects with `unavailable`. `confirmed` belongs to the command, and gets the log.
   */
  confirm(log: string, confirmed?: ConfirmedLogs): Promise<void> | undefined {
    if (!this.isShared) return this.feed.untilFilled(log);
    if (confirmed?.has(log) === true || !this.feed.follows(log)) return undefined;
    return this.askAndFill(log, confirmed);
  }

  /** Confirms several logs by one query, as {@link confirm} does. */
  async confirmAll(logs: readonly string[], confirmed: ConfirmedLogs): Promise<void> {
    if (!this.isShared) return;
    await Promise.all(logs.flatMap((log) => this.confirm(log, confirmed) ?? []));
  }

  private async askAndFill(log: string, confirmed: ConfirmedLogs | undefined): Promise<void> {
    await this.ask(log);
    await this.feed.untilFilled(log);
    confirmed?.add(log);
  }

  /** Adds a log to the next query, which starts when the one before it has ended. */
  private ask(log: string): Promise<void> {
    if (this.waiting === null) {
      const logs = new Set<string>();
      const done = this.last.then(() => {
        this.waiting = null;
        return this.feed.recheck(logs);
      });
      this.waiting = { logs, done };
      // Each command that waits gets the failure.
      this.last = done.catch(() => undefined);
    }
    this.waiting.logs.add(log);
    return this.waiting.done;
  }
}
