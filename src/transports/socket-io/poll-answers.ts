import type { ServerResponse } from 'node:http';

/**
 * The responses to polls that are not sent completely yet.
 *
 * For engine.io a poll is done once its response is written, even if the client does not read it.
 */
export class PollAnswers {
  /** Unsent bytes of all responses. */
  bytes = 0;
  private readonly unsent = new Set<ServerResponse>();

  /** Adds a response that was written. */
  add(answer: ServerResponse, bytes: number): void {
    if (answer.writableFinished || answer.destroyed) return;
    this.bytes += bytes;
    this.unsent.add(answer);
    answer.once('close', () => {
      this.bytes -= bytes;
      this.unsent.delete(answer);
    });
  }

  /** Destroys the responses that are not sent after `ms` milliseconds. */
  dropAfter(ms: number): void {
    if (this.unsent.size === 0) return;
    setTimeout(() => {
      for (const answer of this.unsent) answer.destroy();
    }, ms).unref();
  }
}
