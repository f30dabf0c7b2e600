import type { BusClock } from '#src/bus/bus-clock.js';
import type { BusHandler, BusState, ClusterBus } from '#src/bus/cluster-bus.js';

import type { Random } from './random.js';

/** How often a {@link FaultyBus} does what to the frames that it receives. */
export interface BusFaults {
  /** Probability of a frame to be lost. */
  readonly drop: number;
  /** Probability of a frame to arrive twice. */
  readonly double: number;
  /** Probability of a frame to be late, so that later ones overtake it. */
  readonly delay: number;
  /** Maximum lateness, in milliseconds. */
  readonly maxDelayMs: number;
}

/** A bus that drops, doubles, delays and reorders the frames that it receives. */
export class FaultyBus implements ClusterBus {
  /** Faults of the frames that arrive now; null for none. */
  faults: BusFaults | null;
  /** Whether frames contain only the heads of logs, as over PostgreSQL. */
  sendsOnlyHeads = false;

  constructor(
    private readonly bus: ClusterBus,
    private readonly clock: BusClock,
    private readonly random: Random,
    faults: BusFaults,
  ) {
    this.faults = faults;
  }

  get state(): BusState {
    return this.bus.state;
  }

  get maxBytes(): number {
    return this.bus.maxBytes;
  }

  get carriesEvents(): boolean {
    return this.bus.carriesEvents && !this.sendsOnlyHeads;
  }

  get losses(): number {
    return this.bus.losses;
  }

  onState(listener: (state: BusState) => void): void {
    this.bus.onState(listener);
  }

  publish(subject: string, bytes: Uint8Array): boolean {
    return this.bus.publish(subject, bytes);
  }

  async subscribe(subject: string, handler: BusHandler): Promise<boolean> {
    return this.bus.subscribe(subject, (bytes) => this.receive(Uint8Array.from(bytes), handler));
  }

  unsubscribe(subject: string): void {
    this.bus.unsubscribe(subject);
  }

  async close(): Promise<void> {
    await this.bus.close();
  }

  private receive(bytes: Uint8Array, handler: BusHandler): void {
    const { faults, random } = this;
    if (faults === null) {
      handler(bytes);
      return;
    }
    if (random.chance(faults.drop)) return;
    const copies = random.chance(faults.double) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (!random.chance(faults.delay)) handler(bytes);
      else this.clock.after(random.between(1, faults.maxDelayMs), () => handler(bytes));
    }
  }
}
