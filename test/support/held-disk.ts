import { open, type FileHandle } from 'node:fs/promises';

/** What files are synced by, replaced while a test lasts: no program can slow a disk down. */
export class HeldDisk {
  private constructor(private readonly restore: () => void) {}

  /** Has `sync` done in place of syncing files of this process, until it is released. */
  static async of(sync: () => Promise<void>): Promise<HeldDisk> {
    const file = await open(process.execPath);
    const files = Object.getPrototypeOf(file) as Pick<FileHandle, 'datasync'>;
    await file.close();
    const { datasync } = files;
    files.datasync = sync;
    return new HeldDisk(() => (files.datasync = datasync));
  }

  /** Lets files be synced again. */
  release(): void {
    this.restore();
  }
}
