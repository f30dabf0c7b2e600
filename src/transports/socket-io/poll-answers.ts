import type { ServerResponse } from 'node:http';

/**
 * The answers to polls that the network has not taken yet.
 *
 * For engine.io a poll is over once its answer is written, however much of that nobody reads.
 */
export class PollAnswers {
  /** Bytes of them all. */
  bytes = 0;
  private readonly unsent = new Set<ServerResponse>();

  /** Adds an answer that was written. */
  add(answer: ServerResponse, bytes: number): void {
    if (answer.writableFinished || answer.destroyed) return;
    this.bytes += bytes;
    this.unsent.add(answer);
    answer.once('close', () => {
      this.bytes -= bytes;
      this.unsent.delete(answer);
    });
  }

  /** Gives up what is not sent after some milliseconds. */
  dropAfter(ms: number): void {
    if (this.unsent.size === 0) return;
    setTimeout(() => {
      for (const answer of this.unsent) answer.destroy();
    }, ms).unref();
  }
}
