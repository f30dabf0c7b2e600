import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer } from '../database/writer.js';
import { FileIntake } from './file-intake.js';
import { deleteUnsent, findKnown } from './file-rows.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';

const PAUSE_MAX_MS = 600_000;
const BATCH = 100;

/**
 * Removes files that no message took in time (P-14.8), and bytes that belong to no file.
 *
 * The latter are left where the process ended, or the database was lost, between a change of the
 * database and the change of the storage that goes with it.
 */
@Injectable()
export class FileSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(FileSweeper.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(FileIntake) private readonly intake: FileIntake,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /** The first time is at once, beside the start. */
  onApplicationBootstrap(): void {
    this.begin();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  private begin(): void {
    this.sweeping = this.sweep()
      .catch((error: unknown) => this.logger.warn({ msg: 'Files were not swept', err: error }))
      .finally(() => this.plan());
  }

  private plan(): void {
    if (this.isStopped) return;
    const pause = Math.min(PAUSE_MAX_MS, this.config.limits.unsentMs);
    this.timer = setTimeout(() => this.begin(), pause);
  }

  private async sweep(): Promise<void> {
    await this.sweepUnsent();
    for await (const keys of this.storage.keys()) {
      if (this.isStopped) return;
      await this.sweepKeys(keys);
    }
  }

  /** It is decided inside the transaction: what a message has taken by then stays. */
  private async sweepUnsent(): Promise<void> {
    for (let count = BATCH; count === BATCH && !this.isStopped;) {
      const until = Date.now() - this.config.limits.unsentMs;
      const ids = await this.writer.run(({ sql }) => deleteUnsent(sql, until, BATCH));
      for (const id of ids) await this.intake.remove(id);
      count = ids.length;
    }
  }

  private async sweepKeys(keys: readonly string[]): Promise<void> {
    // In this order: what ends to be under way after this look is known at the next one.
    const idle = keys.filter((key) => !this.intake.isUnderWay(idOf(key)));
    for (let from = 0; from < idle.length; from += BATCH) {
      await this.removeLost(idle.slice(from, from + BATCH));
    }
  }

  private async removeLost(keys: readonly string[]): Promise<void> {
    const known = await this.reader.snapshot(({ sql }) => findKnown(sql, keys.map(idOf)));
    const lost = keys.filter((key) => !known.has(idOf(key)));
    for (const key of lost) await this.storage.remove(key);
    if (lost.length > 0)
      this.logger.log({ msg: 'Bytes of no file were removed', keys: lost.length });
  }
}

function idOf(key: string): string {
  return key.split('.', 1)[0] ?? key;
}
