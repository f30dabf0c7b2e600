import { randomBytes } from 'node:crypto';

import type { ClusterBus } from '#src/bus/cluster-bus.js';
import { ClusterLink, type ClusterListener } from '#src/bus/cluster-link.js';
import type { BusClock } from '#src/bus/bus-clock.js';
import type { Control, Ephemeral, LogChange } from '#src/bus/frames.js';

/** Values that all nodes of a test's cluster share. */
export const CLUSTER = { id: 'test-cluster', key: randomBytes(32), partitions: 8 };

/** A node of a cluster that notes what it is told. */
export class ClusterNode {
  readonly boot = randomBytes(16).toString('base64url');
  readonly link: ClusterLink;
  readonly changes: LogChange[] = [];
  readonly ephemerals: Ephemeral[] = [];
  readonly controls: Control[] = [];
  /** Changes of peers and of the bus, and rechecks, each with its time. */
  readonly told: { readonly what: string; readonly at: number }[] = [];

  constructor(
    readonly bus: ClusterBus,
    private readonly clock: BusClock,
    readonly address: string,
    listener: Partial<ClusterListener> = {},
  ) {
    this.link = new ClusterLink({
      bus,
      cluster: CLUSTER,
      boot: this.boot,
      describe: () => ({ address, version: '1.0', settings: 'digest', state: { for: address } }),
      clock,
      listener: { ...this.noteAll(), ...listener },
    });
  }

  /** Returns the names of what was told since the last call. */
  takeTold(): string[] {
    return this.told.splice(0).map(({ what }) => what);
  }

  private noteAll(): ClusterListener {
    const addressOf = (peer: { description: { address: string } | null }): string =>
      peer.description?.address ?? 'unknown';
    return {
      log: (change) => void this.changes.push(change),
      ephemeral: (ephemeral) => void this.ephemerals.push(ephemeral),
      control: (control) => void this.controls.push(control),
      recheck: ({ logs, hasControl }, cause) => {
        const scope = logs === 'all' ? 'all' : [...logs].sort((a, b) => a - b).join('+');
        this.note(`recheck ${scope}${hasControl ? ' control' : ''}: ${cause}`);
      },
      busChanged: (state) => this.note(`bus ${state}`),
      peerFound: (peer) => this.note(`found ${addressOf(peer)}`),
      peerSilent: (peer) => this.note(`silent ${addressOf(peer)}`),
      peerBack: (peer) => this.note(`back ${addressOf(peer)}`),
      peerLeft: (peer) => this.note(`left ${addressOf(peer)}`),
    };
  }

  private note(what: string): void {
    this.told.push({ what, at: this.clock.now() });
  }
}
