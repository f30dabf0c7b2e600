import { setImmediate, setTimeout as delay } from 'node:timers/promises';

import { Logger } from '@nestjs/common';

import { partitionOf } from '../bus/subjects.js';
import type { LogFeed } from '../store/log-feed.js';

/** Logs that one query compares. */
const CHUNK = 1_000;
/** Pause before a comparison that failed is made again. */
const RETRY_MS = 500;

/** Logs to compare: all that are followed, or those in some partitions. */
export type CheckedLogs = 'all' | readonly number[];

/** Compares followed logs with the database; requests that wait share the next comparison. */
export class HeadCheck {
  private readonly logger = new Logger('Cluster');
  private readonly stopping = new AbortController();
  private readonly partitions = new Set<number>();
  private isForAll = false;
  private running: Promise<void> | undefined;
  private hasFailed = false;

  constructor(
    private readonly feed: LogFeed,
    /** Number of partitions. */
    private readonly count: number,
  ) {}

  /** Compares logs soon, by queries that start after this call. */
  ask(logs: CheckedLogs): void {
    if (logs === 'all') this.isForAll = true;
    else for (const partition of logs) this.partitions.add(partition);
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when everything that was asked for is compared. */
  async done(): Promise<void> {
    await this.running;
  }

  /** Compares nothing more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && (this.isForAll || this.partitions.size > 0)) {
      const logs = this.take();
      try {
        await this.compare(logs);
        this.hasFailed = false;
      } catch (error) {
        if (!this.hasFailed) this.logger.warn({ msg: 'Logs could not be compared', err: error });
        this.hasFailed = true;
        this.putBack(logs);
        await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  private take(): CheckedLogs {
    const logs: CheckedLogs = this.isForAll ? 'all' : [...this.partitions];
    this.isForAll = false;
    this.partitions.clear();
    return logs;
  }

  private putBack(logs: CheckedLogs): void {
    if (logs === 'all') this.isForAll = true;
    else for (const partition of logs) this.partitions.add(partition);
  }

  private async compare(logs: CheckedLogs): Promise<void> {
    // Events of logs that nobody follows may be missing as well.
    this.feed.missed();
    const wanted = logs === 'all' ? null : new Set(logs);
    const followed = this.feed
      .followedLogs()
      .filter((log) => wanted?.has(partitionOf(log, this.count)) !== false);
    for (let from = 0; from < followed.length; from += CHUNK) {
      if (this.stopping.signal.aborted) return;
      await this.feed.recheck(followed.slice(from, from + CHUNK));
      await setImmediate();
    }
  }
}
