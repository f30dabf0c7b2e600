import type { BusClock } from './bus-clock.js';
import type { BusCounters } from './bus-counters.js';
import type { ClusterBus } from './cluster-bus.js';
import { ENVELOPE_BYTES, type Envelopes } from './envelope.js';
import {
  encodeBody,
  encodeChanges,
  type Beat,
  type Control,
  type Ephemeral,
  type LogChange,
} from './frames.js';
import { HeadBatch } from './head-batch.js';
import { SentCounters } from './sent-counters.js';
import {
  BEATS,
  CONTROL,
  ephemeralSubject,
  logSubject,
  nodeSubject,
  partitionOf,
  partitionOfSubject,
} from './subjects.js';

/** Options of {@link FrameSender}. */
export interface FrameSenderDeps {
  readonly bus: ClusterBus;
  readonly envelopes: Envelopes;
  readonly partitions: number;
  readonly clock: BusClock;
  readonly counters: BusCounters;
}

/** Sends the frames of this node; what the bus drops is counted, and noticed by the receivers. */
export class FrameSender {
  private readonly sent: SentCounters;
  private readonly heads: HeadBatch;

  constructor(private readonly deps: FrameSenderDeps) {
    this.sent = new SentCounters(deps.clock);
    this.heads = new HeadBatch(deps.clock, (heads) => this.sendChanges(heads, false));
  }

  /** Sends changes of logs after their commit: one frame per partition. */
  announce(changes: readonly LogChange[]): void {
    if (this.deps.bus.carriesEvents) this.sendChanges(changes, true);
    else this.heads.add(changes);
  }

  /** Sends an ephemeral. */
  sendEphemeral(ephemeral: Ephemeral): void {
    const partition = partitionOf(ephemeral.room, this.deps.partitions);
    this.send(ephemeralSubject(partition), encodeBody(ephemeral));
  }

  /** Sends a control message. */
  sendControl(control: Control): void {
    const { to } = control;
    const isForNode = to !== 'all' && 'node' in to;
    this.send(isForNode ? nodeSubject(to.node) : CONTROL, encodeBody(control));
  }

  /** Sends a beat with the counters of this node. */
  beat(beat: Omit<Beat, 'counters'>): void {
    const isRepaired = (subject: string): boolean =>
      subject === CONTROL || partitionOfSubject(subject) !== null;
    const counters = this.sent.list(isRepaired, beat.isFull);
    this.send(BEATS, encodeBody({ ...beat, counters }));
  }

  /** Sends heads that are being collected. */
  flush(): void {
    this.heads.flush();
  }

  private sendChanges(changes: readonly LogChange[], withEvents: boolean): void {
    const byPartition = new Map<number, LogChange[]>();
    for (const change of changes) {
      const partition = partitionOf(change.log, this.deps.partitions);
      const others = byPartition.get(partition);
      if (others === undefined) byPartition.set(partition, [change]);
      else others.push(change);
    }
    for (const [partition, group] of byPartition) {
      this.sendGroup(logSubject(partition), group, withEvents);
    }
  }

  /** Sends changes of one partition, shortened to the heads or divided if they are too large. */
  private sendGroup(subject: string, changes: readonly LogChange[], withEvents: boolean): void {
    // The numbers of dropped frames tell the others later what they missed.
    if (this.deps.bus.state === 'away') {
      this.drop(subject);
      return;
    }
    const body = encodeChanges(changes, withEvents);
    if (this.fits(body) || (!withEvents && changes.length === 1)) {
      this.send(subject, body);
    } else if (withEvents) {
      this.deps.counters.shortened++;
      this.sendGroup(subject, changes, false);
    } else {
      const half = Math.ceil(changes.length / 2);
      this.sendGroup(subject, changes.slice(0, half), false);
      this.sendGroup(subject, changes.slice(half), false);
    }
  }

  private fits(body: string): boolean {
    return Buffer.byteLength(body) + ENVELOPE_BYTES <= this.deps.bus.maxBytes;
  }

  private send(subject: string, body: string): void {
    const { bus, envelopes, counters } = this.deps;
    if (bus.state === 'away') {
      this.drop(subject);
      return;
    }
    const frame = envelopes.seal(subject, this.sent.next(subject), body);
    if (!bus.publish(subject, frame)) {
      counters.dropped++;
      return;
    }
    counters.sent++;
    counters.sentBytes += frame.length;
  }

  private drop(subject: string): void {
    this.sent.next(subject);
    this.deps.counters.dropped++;
  }
}
