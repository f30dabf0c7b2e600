import { Writer, type WriteJob } from '#src/database/writer.js';

import { eventually } from './eventually.js';
import type { TestServer } from './server.js';

/** The writer of a server, held back so that what comes meanwhile waits in its order. */
export class HeldWriter {
  private constructor(
    private readonly writer: Writer,
    private readonly letGo: () => void,
  ) {}

  /** Holds the writer back, once it has done what it was given before. */
  static async of(server: TestServer | undefined): Promise<HeldWriter> {
    if (server === undefined) throw new Error('The server is not in this process.');
    const writer = server.app.get(Writer);
    return new Promise((reached) => {
      void writer.run(() => new Promise<void>((letGo) => reached(new HeldWriter(writer, letGo))));
    });
  }

  /** Waits until so many writes wait. */
  async waiting(count: number): Promise<void> {
    // Nothing but the writer knows: no program needs to.
    const length = () => (this.writer as unknown as { queue: readonly unknown[] }).queue.length;
    await eventually(() => length() >= count, `${String(count)} waiting writes`);
  }

  /** Adds a job of the test to those that wait. */
  add(job: WriteJob<void>): Promise<void> {
    return this.writer.run(job);
  }

  /** Lets everything go on. */
  release(): void {
    this.letGo();
  }
}
