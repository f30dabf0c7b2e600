import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Lease } from '../database/lease.js';
import { PeriodicJob } from '../database/periodic-job.js';
import { Reader } from '../database/reader.js';
import { Writer } from '../database/writer.js';
import { FileIntake } from './file-intake.js';
import { deleteUnsent, findKnown } from '../store/file-rows.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';

const PAUSE_MAX_MS = 600_000;
const BATCH = 100;

/**
 * Removes files that were not attached in time (P-14.8), and bytes without a file.
 *
 * Such bytes remain if the process ends, or the database is lost, between a change of the
 * database and the matching change of the storage.
 */
@Injectable()
export class FileSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(FileSweeper.name);
  private readonly job: PeriodicJob;
  /** Bytes without a file at the last sweep. */
  private lost = new Set<string>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly writer: Writer,
    private readonly intake: FileIntake,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    private readonly lease: Lease,
  ) {
    this.job = new PeriodicJob({
      name: 'sweep of files',
      pauseMs: Math.min(PAUSE_MAX_MS, config.limits.unsentMs),
      run: (signal) => this.sweep(signal),
    });
  }

  /** Runs for the first time during the start. */
  onApplicationBootstrap(): void {
    this.job.startNow();
  }

  onModuleDestroy(): Promise<void> {
    return this.job.stop();
  }

  private async sweep(signal: AbortSignal): Promise<void> {
    if (!this.lease.isHeld) return;
    await this.sweepUnsent(signal);
    const lost = new Set<string>();
    for await (const keys of this.storage.keys()) {
      if (signal.aborted) return;
      await this.sweepKeys(keys, lost);
    }
    this.lost = lost;
  }

  /** Decides inside the transaction, so that files attached meanwhile stay. */
  private async sweepUnsent(signal: AbortSignal): Promise<void> {
    for (let count = BATCH; count === BATCH && !signal.aborted;) {
      const fence = this.lease.fence();
      const ids = await this.writer.run([], async (tx) => {
        await fence?.(tx);
        return deleteUnsent(tx.sql, tx.now() - this.config.limits.unsentMs, BATCH);
      });
      for (const id of ids) await this.intake.remove(id);
      count = ids.length;
    }
  }

  private async sweepKeys(keys: readonly string[], lost: Set<string>): Promise<void> {
    // In this order: a file that is finished after this check is in the database at the next one.
    const idle = keys.filter((key) => !this.intake.isInProgress(idOf(key)));
    for (let from = 0; from < idle.length; from += BATCH) {
      await this.removeLost(idle.slice(from, from + BATCH), lost);
    }
  }

  private async removeLost(keys: readonly string[], lost: Set<string>): Promise<void> {
    const known = await this.reader.snapshot(({ sql }) => findKnown(sql, keys.map(idOf)));
    const unknown = keys.filter((key) => !known.has(idOf(key)));
    for (const key of unknown) lost.add(key);
    // Another server may be about to store the file: its bytes stay until the next sweep.
    const removed = this.lease.isShared ? unknown.filter((key) => this.lost.has(key)) : unknown;
    for (const key of removed) await this.storage.remove(key);
    if (removed.length > 0)
      this.logger.log({ msg: 'Removed bytes without a file', keys: removed.length });
  }
}

function idOf(key: string): string {
  return key.split('.', 1)[0] ?? key;
}
