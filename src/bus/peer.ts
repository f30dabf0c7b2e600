import { FrameCounter, type Arrival } from './frame-counter.js';
import type { Beat, NodeDescription } from './frames.js';

/** State of another node, as its beats report it. */
export interface PeerInfo {
  /** Id of this run of the node. */
  readonly boot: string;
  /** Description that the node sends of itself; null before its first readable beat. */
  readonly description: NodeDescription | null;
  /** State that the owner of the node adds to its beats. */
  readonly state: unknown;
  /** Whether nothing was heard of the node for a second. */
  readonly isSilent: boolean;
}

/** One run of another node. */
export class Peer implements PeerInfo {
  description: NodeDescription | null = null;
  state: unknown = null;
  isSilent = false;
  /** Whether the owner knows of it. */
  isAnnounced = false;
  /** Whether its beats have an unknown format, so that lost frames go unnoticed. */
  isUnreadable = false;
  /** Whether all of its counters are known. */
  private isSynced = false;
  private readonly counters = new Map<string, FrameCounter>();

  constructor(
    readonly boot: string,
    /** Time at which a frame arrived last. */
    public heardAt: number,
  ) {}

  /** Notes the number of a frame. */
  receive(subject: string, counter: number): Arrival {
    return this.counterOf(subject).receive(counter);
  }

  /** Notes what a beat says about the node. */
  describe({ address, version, settings, state }: Beat): void {
    this.description = { address, version, settings };
    this.state = state;
    this.isUnreadable = false;
  }

  /**
   * Returns the subjects on which frames are missing according to a beat, and counts these frames
   * as missing.
   *
   * With the first full beat, these are all subjects whose frames this node has not heard from the
   * first one on, those that began after the beat was sent included.
   */
  findBehind({ counters, isFull }: Beat): { subjects: string[]; isFirst: boolean } {
    const isFirst = isFull && !this.isSynced;
    const subjects: string[] = [];
    const listed = isFirst ? { ...this.listHeard(), ...counters } : counters;
    for (const [subject, last] of Object.entries(listed)) {
      const counter = this.counterOf(subject);
      const isBehind = isFirst ? !counter.isComplete(last) : counter.isBehind(last);
      if (!isBehind) continue;
      subjects.push(subject);
      counter.skipTo(last);
    }
    if (isFull) this.isSynced = true;
    return { subjects, isFirst };
  }

  /** Returns the subjects of which a frame has arrived, each with 0. */
  private listHeard(): Record<string, number> {
    return Object.fromEntries([...this.counters.keys()].map((subject) => [subject, 0]));
  }

  private counterOf(subject: string): FrameCounter {
    const known = this.counters.get(subject);
    if (known !== undefined) return known;
    const counter = new FrameCounter(this.isSynced ? 0 : null);
    this.counters.set(subject, counter);
    return counter;
  }
}
