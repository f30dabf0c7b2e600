import type { WriteJob } from '#src/database/write-job.js';
import { Writer } from '#src/database/writer.js';

import { eventually } from './eventually.js';
import type { TestServer } from './server.js';

/** Blocks the writer of a server, so that writes queue up until a test releases them. */
export class HeldWriter {
  private constructor(
    private readonly writer: Writer,
    private readonly unblock: () => void,
  ) {}

  /** Blocks the writer after its current jobs. */
  static async hold(server: TestServer | undefined): Promise<HeldWriter> {
    if (server === undefined) throw new Error('The server is not in this process.');
    const writer = server.app.get(Writer);
    return new Promise((reached) => {
      void writer.run(
        [],
        () => new Promise<void>((unblock) => reached(new HeldWriter(writer, unblock))),
      );
    });
  }

  /** Waits until at least `count` writes are queued. */
  async untilQueued(count: number): Promise<void> {
    // The queue is private: only tests need its length.
    const length = () => (this.writer as unknown as { queue: readonly unknown[] }).queue.length;
    await eventually(() => length() >= count, `${String(count)} queued writes`);
  }

  /** Queues a job of the test, which touches some logs. */
  add(job: WriteJob<void>, logs: readonly string[] = []): Promise<void> {
    return this.writer.run(logs, job);
  }

  /** Unblocks the writer. */
  release(): void {
    this.unblock();
  }
}
