import { LRUCache } from 'lru-cache';

import type { BusClock } from './bus-clock.js';
import type { OpenFrame } from './envelope.js';
import type { Arrival } from './frame-counter.js';
import type { Beat } from './frames.js';
import { Peer, type PeerInfo } from './peer.js';
import type { RecheckCause, RecheckQueue } from './recheck-queue.js';
import { CONTROL, partitionOfSubject } from './subjects.js';

/** Silence after which a node counts as silent, in milliseconds. */
const SILENCE_MS = 1_000;
/** Time that frames have to arrive after a beat that counts them. */
const BEHIND_MS = 100;
/** Time between two rechecks while a node is silent or cannot be understood. */
const REPEAT_MS = 1_000;
/** Nodes that left are remembered, so that late or repeated frames do not bring them back. */
const MAX_DEPARTED = 1_000;

/** Receives changes of other nodes. */
export interface PeerEvents {
  /** Reports a node that was not known before. */
  peerFound(peer: PeerInfo): void;
  /** Reports that nothing was heard of a node for a second. */
  peerSilent(peer: PeerInfo): void;
  /** Reports that a silent node is heard again. */
  peerBack(peer: PeerInfo): void;
  /** Reports a clean stop. */
  peerLeft(peer: PeerInfo): void;
}

/** The other nodes, and which of their frames are missing. */
export class Peers {
  private readonly peers = new Map<string, Peer>();
  private readonly departed = new LRUCache<string, true>({ max: MAX_DEPARTED });
  private repeatAt = 0;

  constructor(
    private readonly clock: BusClock,
    private readonly rechecks: RecheckQueue,
    private readonly events: PeerEvents,
    /** Called for each new node: it does not know the counters of this one. */
    private readonly met: () => void,
  ) {}

  /** Returns the nodes that are known, silent ones included. */
  list(): readonly PeerInfo[] {
    return [...this.peers.values()].filter(({ isAnnounced }) => isAnnounced);
  }

  /** Returns the ids of the silent nodes. */
  silent(): string[] {
    return [...this.peers.values()].filter(({ isSilent }) => isSilent).map(({ boot }) => boot);
  }

  /** Notes a frame, and asks for a recheck if one before it is missing. */
  receive(subject: string, { boot, counter }: OpenFrame): Arrival {
    const peer = this.hear(boot);
    if (peer === null) return 'double';
    const arrival = peer.receive(subject, counter);
    if (arrival === 'gap') this.recheck([subject], 'gap');
    return arrival;
  }

  /** Notes a beat; null stands for one of an unknown format. */
  receiveBeat(boot: string, beat: Beat | null): void {
    const peer = this.hear(boot);
    if (peer === null) return;
    if (beat === null) peer.isUnreadable = true;
    else peer.describe(beat);
    if (!peer.isAnnounced) {
      peer.isAnnounced = true;
      this.events.peerFound(peer);
    }
    // Frames that were sent before the beat may arrive after it.
    if (beat !== null) this.clock.after(BEHIND_MS, () => this.compare(peer, beat));
  }

  /** Forgets a silent node that writes nothing more; it is found again if it is heard again. */
  forget(boot: string): void {
    this.peers.delete(boot);
  }

  /** Returns whether frames of some node may be missing without notice. */
  get isBlind(): boolean {
    return [...this.peers.values()].some(({ isSilent, isUnreadable }) => isSilent || isUnreadable);
  }

  /** Looks for silent nodes; `stalledMs` is how long this process stood still. */
  tick(stalledMs: number): void {
    const now = this.clock.now();
    for (const peer of this.peers.values()) {
      peer.heardAt += stalledMs;
      if (!peer.isSilent && now - peer.heardAt > SILENCE_MS) this.markSilent(peer);
    }
    if (now < this.repeatAt || !this.isBlind) return;
    this.repeatAt = now + REPEAT_MS;
    const isSilent = [...this.peers.values()].some((peer) => peer.isSilent);
    this.rechecks.askAll(isSilent ? 'silence' : 'format');
  }

  /** Gives all nodes time to be heard, after this node could not hear. */
  excuse(): void {
    const now = this.clock.now();
    for (const peer of this.peers.values()) peer.heardAt = now;
  }

  /** Returns a node of which something was heard; null if it has left. */
  private hear(boot: string): Peer | null {
    if (this.departed.has(boot)) return null;
    const known = this.peers.get(boot);
    const now = this.clock.now();
    if (known === undefined) {
      const peer = new Peer(boot, now);
      this.peers.set(boot, peer);
      this.met();
      return peer;
    }
    known.heardAt = now;
    if (known.isSilent) this.markBack(known);
    return known;
  }

  private markSilent(peer: Peer): void {
    peer.isSilent = true;
    // It may have committed to any log just before it died.
    this.repeatAt = 0;
    if (peer.isAnnounced) this.events.peerSilent(peer);
  }

  private markBack(peer: Peer): void {
    peer.isSilent = false;
    this.rechecks.askAll('back');
    if (peer.isAnnounced) this.events.peerBack(peer);
  }

  private compare(peer: Peer, beat: Beat): void {
    if (this.peers.get(peer.boot) !== peer) return;
    const { subjects, isFirst } = peer.findBehind(beat);
    this.recheck(subjects, isFirst ? 'joined' : 'beat');
    if (!beat.isLeaving) return;
    this.forget(peer.boot);
    this.departed.set(peer.boot, true);
    this.events.peerLeft(peer);
  }

  private recheck(subjects: readonly string[], cause: RecheckCause): void {
    const partitions = subjects.map(partitionOfSubject).filter((found) => found !== null);
    if (partitions.length > 0) this.rechecks.askLogs(partitions, cause);
    if (subjects.includes(CONTROL)) this.rechecks.askControl(cause);
  }
}
