import type { BusClock } from './bus-clock.js';

/** Time for which beats repeat a counter that moved, in case beats are lost. */
const REPEAT_MS = 2_000;

/** The numbers of the frames that this node has sent, per subject. */
export class SentCounters {
  private readonly counters = new Map<string, { last: number; movedAt: number }>();

  constructor(private readonly clock: BusClock) {}

  /** Returns the number of the next frame on a subject; a dropped frame has one, too. */
  next(subject: string): number {
    const counter = this.counters.get(subject) ?? { last: 0, movedAt: 0 };
    counter.last++;
    counter.movedAt = this.clock.now();
    this.counters.set(subject, counter);
    return counter.last;
  }

  /** Returns the last number of each subject that a test admits: of all, or those moved lately. */
  list(isListed: (subject: string) => boolean, isFull: boolean): Record<string, number> {
    const since = this.clock.now() - REPEAT_MS;
    const listed = [...this.counters].filter(
      ([subject, { movedAt }]) => isListed(subject) && (isFull || movedAt > since),
    );
    return Object.fromEntries(listed.map(([subject, { last }]) => [subject, last]));
  }
}
