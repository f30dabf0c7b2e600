import type { BusClock } from './bus-clock.js';

/**
 * Why logs must be compared with the database.
 *
 * - `gap`: a frame is missing before one that arrived.
 * - `beat`: a node has sent frames that did not arrive.
 * - `format`: a frame has an unknown format.
 * - `joined`: the subscriptions of this node, or the counters of another, are known for the first
 *   time.
 * - `silence`: a node is silent; repeated each second until it is back or forgotten.
 * - `back`: a silent node is heard again.
 * - `reconnected`: the bus is back.
 * - `away`: the bus is away; repeated each second.
 */
export type RecheckCause =
  'gap' | 'beat' | 'format' | 'joined' | 'silence' | 'back' | 'reconnected' | 'away';

/** Logs to compare with the database. */
export interface RecheckScope {
  /** Partitions of logs. */
  readonly logs: 'all' | readonly number[];
  /** Whether control messages may be lost. */
  readonly hasControl: boolean;
}

/** Time for which requests are collected after one was passed on. */
const GATHER_MS = 25;

/** Passes on requests to compare logs: the first at once, then at most one each 25 ms. */
export class RecheckQueue {
  private readonly partitions = new Set<number>();
  private isForAll = false;
  private hasControl = false;
  private cause: RecheckCause | undefined;
  private isGathering = false;

  constructor(
    private readonly clock: BusClock,
    private readonly run: (scope: RecheckScope, cause: RecheckCause) => void,
    private readonly counts: Record<RecheckCause, number>,
  ) {}

  /** Asks to compare all logs, and to catch up with control messages. */
  askAll(cause: RecheckCause): void {
    this.isForAll = true;
    this.hasControl = true;
    this.ask(cause);
  }

  /** Asks to compare the logs of partitions. */
  askLogs(partitions: readonly number[], cause: RecheckCause): void {
    for (const partition of partitions) this.partitions.add(partition);
    this.ask(cause);
  }

  /** Asks to catch up with control messages. */
  askControl(cause: RecheckCause): void {
    this.hasControl = true;
    this.ask(cause);
  }

  private ask(cause: RecheckCause): void {
    this.counts[cause]++;
    this.cause ??= cause;
    if (!this.isGathering) this.pass(this.cause);
  }

  private pass(cause: RecheckCause): void {
    const scope: RecheckScope = {
      logs: this.isForAll ? 'all' : [...this.partitions],
      hasControl: this.hasControl,
    };
    this.partitions.clear();
    this.isForAll = false;
    this.hasControl = false;
    this.cause = undefined;
    this.isGathering = true;
    this.clock.after(GATHER_MS, () => {
      this.isGathering = false;
      if (this.cause !== undefined) this.pass(this.cause);
    });
    this.run(scope, cause);
  }
}
