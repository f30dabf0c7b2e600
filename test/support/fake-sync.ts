import { open, type FileHandle } from 'node:fs/promises';

/** Replaces the syncing of files during a test, because no program can slow a disk down. */
export class FakeSync {
  private constructor(private readonly uninstall: () => void) {}

  /** Calls `sync` instead of syncing files of this process, until {@link restore}. */
  static async install(sync: () => Promise<void>): Promise<FakeSync> {
    const file = await open(process.execPath);
    const files = Object.getPrototypeOf(file) as Pick<FileHandle, 'datasync'>;
    await file.close();
    const { datasync } = files;
    files.datasync = sync;
    return new FakeSync(() => (files.datasync = datasync));
  }

  /** Syncs files again. */
  restore(): void {
    this.uninstall();
  }
}
