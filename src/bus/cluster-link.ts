import { Logger } from '@nestjs/common';

import { SYSTEM_CLOCK, type BusClock, type Cancel } from './bus-clock.js';
import { newBusCounters, type BusCounters } from './bus-counters.js';
import type { BusState, ClusterBus } from './cluster-bus.js';
import { Envelopes, FORMAT, type OpenFrame } from './envelope.js';
import { FrameSender } from './frame-sender.js';
import {
  decodeBody,
  decodeChanges,
  type Beat,
  type Control,
  type Ephemeral,
  type LogChange,
  type NodeDescription,
  type Sent,
} from './frames.js';
import type { PeerInfo } from './peer.js';
import { Peers, type PeerEvents } from './peers.js';
import { RecheckQueue, type RecheckCause, type RecheckScope } from './recheck-queue.js';
import { StallMeter } from './stall-meter.js';
import { BEATS, CONTROL, ephemeralSubject, logSubject, nodeSubject } from './subjects.js';

const BEAT_MS = 250;
/** Beats after which a beat has all counters. */
const BEATS_PER_FULL = 40;
/** Beats with all counters for a node that knows none of them; some of them may be lost. */
const FULL_BEATS = 4;
const TICK_MS = 50;
/** Time between two rechecks while the bus is away. */
const REPEAT_MS = 1_000;
const MAX_PARTITIONS = 256;

/** Sender of a frame, and the time by its clock. */
export interface Origin extends Sent {
  readonly boot: string;
}

/** Receives what the bus tells a node. A call may come late, twice or out of order. */
export interface ClusterListener extends PeerEvents {
  /** Reports a change of a log. */
  log(change: LogChange, from: Origin): void;
  /** Reports an ephemeral. */
  ephemeral(ephemeral: Ephemeral, from: Origin): void;
  /** Reports a control message to a user, to all nodes or to this one. */
  control(control: Control, from: Origin): void;
  /** Asks to compare the heads of logs with the database: frames are lost, or may be. */
  recheck(scope: RecheckScope, cause: RecheckCause): void;
  /** Reports that the bus is away, or back with all subscriptions confirmed. */
  busChanged(state: BusState): void;
}

/** Options of {@link ClusterLink}. */
export interface ClusterLinkOptions {
  readonly bus: ClusterBus;
  /** Values that all nodes share; the database keeps them. */
  readonly cluster: {
    readonly id: string;
    /** Key of at least 32 bytes. */
    readonly key: Uint8Array;
    /** Number of partitions of the logs, at most 256; it never changes. */
    readonly partitions: number;
  };
  /** Id of this run of this node: 16 random bytes in base64url. */
  readonly boot: string;
  /** Returns what this node says about itself, and any state, for the next beat. */
  readonly describe: () => NodeDescription & { readonly state?: unknown };
  readonly listener: ClusterListener;
  readonly clock?: BusClock;
}

/** The end of a node on the bus: sends its frames, receives those of others, notices losses. */
export class ClusterLink {
  readonly counters: BusCounters = newBusCounters();
  private readonly logger = new Logger('Bus');
  private readonly clock: BusClock;
  private readonly envelopes: Envelopes;
  private readonly sender: FrameSender;
  private readonly rechecks: RecheckQueue;
  private readonly peers: Peers;
  private readonly cancels: Cancel[] = [];
  private isJoined = false;
  private hasLeft = false;
  private fullBeats = FULL_BEATS;
  private beats = 0;
  private awayRecheckAt: number;

  constructor(private readonly options: ClusterLinkOptions) {
    const { bus, cluster, boot, listener, clock = SYSTEM_CLOCK } = options;
    const { partitions } = cluster;
    if (partitions < 1 || partitions > MAX_PARTITIONS) throw new RangeError('1 to 256 partitions.');
    this.clock = clock;
    const { counters } = this;
    this.envelopes = new Envelopes(cluster.id, cluster.key, boot);
    this.sender = new FrameSender({ bus, envelopes: this.envelopes, partitions, clock, counters });
    this.rechecks = new RecheckQueue(
      clock,
      (scope, cause) => this.tell(() => listener.recheck(scope, cause)),
      counters.rechecks,
    );
    this.peers = new Peers(
      clock,
      this.rechecks,
      this.guard(listener),
      () => (this.fullBeats = FULL_BEATS),
    );
    this.awayRecheckAt = clock.now() + REPEAT_MS;
  }

  /** Whether the bus is away. */
  get isAway(): boolean {
    return !this.isConnected;
  }

  /** Whether frames may be lost without notice, so that all logs are rechecked each second. */
  get isDegraded(): boolean {
    return !this.isConnected || this.peers.isBlind;
  }

  /** Starts to receive and to beat; does not wait for the bus. */
  start(): void {
    const { bus, cluster, boot } = this.options;
    bus.onState((state) => this.changeState(state));
    const subscriptions = [
      bus.subscribe(BEATS, (bytes) => this.receiveBeat(bytes)),
      ...[CONTROL, nodeSubject(boot)].map((subject) =>
        bus.subscribe(subject, (bytes) => this.receiveControl(subject, bytes)),
      ),
    ];
    for (let partition = 0; partition < cluster.partitions; partition++) {
      const ephemerals = ephemeralSubject(partition);
      subscriptions.push(
        bus.subscribe(logSubject(partition), (bytes) => this.receiveChanges(partition, bytes)),
        bus.subscribe(ephemerals, (bytes) => this.receiveEphemeral(ephemerals, bytes)),
      );
    }
    void Promise.all(subscriptions).then((confirmed) => {
      if (confirmed.every(Boolean)) this.join();
    });
    const stalls = new StallMeter(this.clock, TICK_MS);
    this.cancels.push(
      this.clock.every(BEAT_MS, () => this.beat()),
      this.clock.every(TICK_MS, () => this.tick(stalls.tick())),
    );
  }

  /** Sends changes of logs after their commit; never throws or waits. */
  announce(changes: readonly LogChange[]): void {
    this.sender.announce(changes);
  }

  /** Sends an ephemeral to a room; its loss is not noticed. */
  sendEphemeral(ephemeral: Ephemeral): void {
    this.sender.sendEphemeral(ephemeral);
  }

  /** Sends a control message; a lost one to a single node is not noticed. */
  sendControl(control: Control): void {
    this.sender.sendControl(control);
  }

  /** Returns the other nodes, silent ones included. */
  listPeers(): readonly PeerInfo[] {
    return this.peers.list();
  }

  /** Returns the ids of the silent nodes, those included of which no beat was heard. */
  silentBoots(): string[] {
    return this.peers.silent();
  }

  /** Forgets a silent node that writes nothing more, and stops the rechecks for its silence. */
  forget(boot: string): void {
    this.peers.forget(boot);
  }

  /** Tells the other nodes of a clean stop, and closes the bus. */
  async leave(): Promise<void> {
    for (const cancel of this.cancels.splice(0)) cancel();
    this.sender.flush();
    if (this.isConnected) this.sendBeat({ isFull: true, isLeaving: true });
    this.hasLeft = true;
    await this.options.bus.close();
  }

  private get isConnected(): boolean {
    return this.isJoined && this.options.bus.state === 'connected';
  }

  /** All subscriptions are confirmed for the first time. */
  private join(): void {
    this.isJoined = true;
    if (this.isConnected) this.resume('joined');
  }

  private changeState(state: BusState): void {
    if (!this.isJoined) return;
    if (state === 'connected') {
      this.resume('reconnected');
      return;
    }
    this.awayRecheckAt = this.clock.now();
    this.tell(() => this.options.listener.busChanged('away'));
  }

  private resume(cause: RecheckCause): void {
    this.peers.excuse();
    this.fullBeats = FULL_BEATS;
    this.tell(() => this.options.listener.busChanged('connected'));
    this.rechecks.askAll(cause);
    this.beat();
  }

  private tick(stalledMs: number): void {
    if (this.isConnected) {
      this.peers.tick(stalledMs);
    } else if (this.clock.now() >= this.awayRecheckAt) {
      this.awayRecheckAt = this.clock.now() + REPEAT_MS;
      this.rechecks.askAll('away');
    }
  }

  private beat(): void {
    if (!this.isConnected) return;
    const isFull = this.fullBeats > 0 || this.beats % BEATS_PER_FULL === 0;
    this.beats++;
    if (this.fullBeats > 0) this.fullBeats--;
    this.sendBeat({ isFull, isLeaving: false });
  }

  private sendBeat(kind: Pick<Beat, 'isFull' | 'isLeaving'>): void {
    const { state = null, ...description } = this.options.describe();
    this.sender.beat({ ...description, ...kind, state });
  }

  private receiveBeat(bytes: Uint8Array): void {
    const frame = this.open(BEATS, bytes);
    if (frame === null) return;
    this.peers.receiveBeat(
      frame.boot,
      this.decode(frame, (body) => decodeBody(body) as Beat & Sent),
    );
  }

  private receiveChanges(partition: number, bytes: Uint8Array): void {
    const frame = this.open(logSubject(partition), bytes);
    if (frame === null) return;
    const decoded = this.decode(frame, decodeChanges);
    if (decoded === null) {
      this.rechecks.askLogs([partition], 'format');
      return;
    }
    const from = { boot: frame.boot, at: decoded.at };
    for (const change of decoded.logs) this.tell(() => this.options.listener.log(change, from));
  }

  private receiveEphemeral(subject: string, bytes: Uint8Array): void {
    const frame = this.open(subject, bytes);
    const decoded = frame && this.decode(frame, (body) => decodeBody(body) as Ephemeral & Sent);
    if (frame === null || decoded === null) return;
    const { at, ...ephemeral } = decoded;
    this.tell(() => this.options.listener.ephemeral(ephemeral, { boot: frame.boot, at }));
  }

  private receiveControl(subject: string, bytes: Uint8Array): void {
    const frame = this.open(subject, bytes);
    if (frame === null) return;
    const decoded = this.decode(frame, (body) => decodeBody(body) as Control & Sent);
    if (decoded === null) {
      this.rechecks.askControl('format');
      return;
    }
    const { at, ...control } = decoded;
    this.tell(() => this.options.listener.control(control, { boot: frame.boot, at }));
  }

  /** Returns a frame of another node that is authentic and has not arrived before. */
  private open(subject: string, bytes: Uint8Array): OpenFrame | null {
    const frame = this.envelopes.open(subject, bytes);
    if (frame === 'own') return null;
    const { counters } = this;
    if (frame === 'forged') {
      counters.forged++;
      return null;
    }
    counters.received++;
    counters.receivedBytes += bytes.length;
    const arrival = this.peers.receive(subject, frame);
    if (arrival === 'gap') counters.gaps++;
    if (arrival === 'late') counters.late++;
    if (arrival !== 'double') return frame;
    counters.doubled++;
    return null;
  }

  /** Returns the body of a frame; null if it is in an unknown format. */
  private decode<T>({ format, body }: OpenFrame, decodeFormat: (body: Buffer) => T): T | null {
    if (format === FORMAT) {
      try {
        return decodeFormat(body);
      } catch (error) {
        this.logger.warn({ msg: 'A frame of a known format cannot be read', err: error });
      }
    }
    this.counters.unreadable++;
    return null;
  }

  private guard(listener: ClusterListener): PeerEvents {
    return {
      peerFound: (peer) => this.tell(() => listener.peerFound(peer)),
      peerSilent: (peer) => this.tell(() => listener.peerSilent(peer)),
      peerBack: (peer) => this.tell(() => listener.peerBack(peer)),
      peerLeft: (peer) => this.tell(() => listener.peerLeft(peer)),
    };
  }

  /** Calls the listener; its failure ends neither a timer nor a connection. */
  private tell(call: () => void): void {
    if (this.hasLeft) return;
    try {
      call();
    } catch (error) {
      this.logger.error({ msg: 'A listener of the bus failed', err: error });
    }
  }
}
