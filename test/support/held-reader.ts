import { Reader } from '#src/database/reader.js';

import type { TestServer } from './server.js';

/** More reads than the server has connections for; later reads wait for these. */
const READS = 16;

/** Blocks the reads of a server until a test releases them. */
export class HeldReader {
  private constructor(
    private readonly unblock: () => void,
    private readonly ended: Promise<unknown>,
  ) {}

  /** Blocks all reads from now on. */
  static hold({ app }: TestServer): HeldReader {
    const reader = app.get(Reader);
    let unblock = (): void => undefined;
    const gate = new Promise<void>((resolve) => (unblock = resolve));
    const reads = Array.from({ length: READS }, () => reader.snapshot(() => gate));
    return new HeldReader(unblock, Promise.all(reads));
  }

  /** Unblocks all reads; some may still wait for a connection that is being opened. */
  async release(): Promise<void> {
    this.unblock();
    await this.ended;
  }
}
