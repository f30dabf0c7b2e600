/** Files up to this size are decoded before larger ones. */
const SMALL_BYTES = 65_536;

/** A job that waits for a decoder. */
export interface QueuedJob {
  readonly owner: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly isHeavy: boolean;
}

/** A decoder, and whether it accepts heavy jobs, which it then prefers. */
export interface DecoderSlot<D> {
  readonly decoder: D;
  readonly acceptsHeavy: boolean;
}

interface Waiting<D> extends QueuedJob {
  readonly begin: (slot: DecoderSlot<D>) => void;
}

/**
 * Assigns decoders to the jobs of users: one job at a time per user, and users alternate.
 *
 * Small files come first, and a decoder that accepts no heavy jobs is soon free for them.
 */
export class DecoderQueue<D> {
  /** Waiting jobs by owner, in the order in which the owners are served. */
  private readonly waiting = new Map<string, Waiting<D>[]>();
  private readonly busy = new Set<string>();
  private readonly free: DecoderSlot<D>[];

  constructor(slots: readonly DecoderSlot<D>[]) {
    this.free = [...slots];
  }

  /** Runs a job as soon as a decoder is free for it and the owner is next. */
  async run<T>(job: QueuedJob, work: (decoder: D) => Promise<T>): Promise<T> {
    const slot = await new Promise<DecoderSlot<D>>((resolve) => {
      const own = this.waiting.get(job.owner) ?? [];
      this.waiting.set(job.owner, [...own, { ...job, begin: resolve }]);
      this.begin();
    });
    try {
      return await work(slot.decoder);
    } finally {
      this.busy.delete(job.owner);
      this.sendToBack(job.owner);
      this.free.push(slot);
      this.begin();
    }
  }

  private begin(): void {
    // A decoder for light jobs only comes first, so that the other stays free for heavy jobs.
    const slots = this.free.toSorted((a, b) => Number(a.acceptsHeavy) - Number(b.acceptsHeavy));
    for (const slot of slots) {
      const next = this.findNext(slot);
      if (next === undefined) continue;
      this.free.splice(this.free.indexOf(slot), 1);
      this.dequeue(next);
      this.busy.add(next.owner);
      next.begin(slot);
    }
  }

  private findNext({ acceptsHeavy }: DecoderSlot<D>): Waiting<D> | undefined {
    const ready = [...this.waiting].flatMap(([owner, own]) => (this.busy.has(owner) ? [] : own));
    const light = ready.filter(({ isHeavy }) => !isHeavy);
    const heavy = acceptsHeavy ? ready.find(({ isHeavy }) => isHeavy) : undefined;
    return heavy ?? light.find(({ size }) => size <= SMALL_BYTES) ?? light[0];
  }

  private dequeue(job: Waiting<D>): void {
    const rest = (this.waiting.get(job.owner) ?? []).filter((other) => other !== job);
    if (rest.length > 0) this.waiting.set(job.owner, rest);
    else this.waiting.delete(job.owner);
  }

  /** Moves an owner behind all other waiting owners. */
  private sendToBack(owner: string): void {
    const own = this.waiting.get(owner);
    if (own === undefined) return;
    this.waiting.delete(owner);
    this.waiting.set(owner, own);
  }
}
