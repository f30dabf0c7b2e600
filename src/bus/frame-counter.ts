/** Missing numbers that are kept; a frame with an older one counts as doubled. */
const MAX_MISSING = 256;

/** Verdict of a counter on a frame. */
export type Arrival = 'next' | 'gap' | 'late' | 'double';

/** The numbers of the frames received from one boot on one subject. */
export class FrameCounter {
  private readonly missing = new Set<number>();
  private first: number | undefined;

  /** `last` is the number of the last frame before, null if it is unknown. */
  constructor(private last: number | null) {}

  /** Notes a frame. */
  receive(counter: number): Arrival {
    this.first ??= counter;
    if (this.last === null || counter === this.last + 1) {
      this.last = counter;
      return 'next';
    }
    if (counter <= this.last) return this.missing.delete(counter) ? 'late' : 'double';
    this.skipTo(counter - 1);
    this.last = counter;
    return 'gap';
  }

  /** Returns whether frames up to a number were sent that never arrived. */
  isBehind(counter: number): boolean {
    return this.last === null || this.last < counter;
  }

  /** Returns whether every frame up to a number has arrived, from the first one of the boot. */
  isComplete(counter: number): boolean {
    return this.first === 1 && this.missing.size === 0 && !this.isBehind(counter);
  }

  /** Counts frames up to a number as missing; they may still arrive. */
  skipTo(counter: number): void {
    const from = Math.max((this.last ?? counter) + 1, counter - MAX_MISSING + 1);
    for (let number = from; number <= counter; number++) this.missing.add(number);
    for (const number of this.missing) {
      if (this.missing.size <= MAX_MISSING) break;
      this.missing.delete(number);
    }
    this.last = Math.max(this.last ?? 0, counter);
  }
}
