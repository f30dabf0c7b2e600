import type { RecheckCause } from './recheck-queue.js';

/** Numbers of what a node has done on the bus since its start, for metrics. */
export interface BusCounters {
  /** Frames sent, and their bytes. */
  sent: number;
  sentBytes: number;
  /** Frames that were not sent, because the bus was away, full or the frame too large. */
  dropped: number;
  /** Log frames whose events were too large for the bus, so that only heads were sent. */
  shortened: number;
  /** Frames of other nodes, and their bytes. */
  received: number;
  receivedBytes: number;
  /** Frames whose sender does not know the key, or that were damaged. */
  forged: number;
  /** Frames of an unknown format. */
  unreadable: number;
  /** Frames that had arrived before. */
  doubled: number;
  /** Frames that arrived after a later one of the same sender. */
  late: number;
  /** Holes in the numbers of frames. */
  gaps: number;
  /** Requests to compare logs with the database, by cause. */
  readonly rechecks: Record<RecheckCause, number>;
}

/** Returns counters that are 0. */
export function newBusCounters(): BusCounters {
  return {
    sent: 0,
    sentBytes: 0,
    dropped: 0,
    shortened: 0,
    received: 0,
    receivedBytes: 0,
    forged: 0,
    unreadable: 0,
    doubled: 0,
    late: 0,
    gaps: 0,
    rechecks: {
      gap: 0,
      beat: 0,
      format: 0,
      joined: 0,
      silence: 0,
      back: 0,
      reconnected: 0,
      away: 0,
    },
  };
}
