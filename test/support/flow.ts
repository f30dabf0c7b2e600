import type { Socket } from 'node:net';

/** Faults of a network in one direction of its connections. */
export interface FlowSettings {
  /** Drops all data, and does not tell the other side when the sender closes. */
  readonly swallows?: boolean;
  /** Time that data is on its way, in milliseconds. */
  readonly delayMs?: number;
  /** Maximum rate, in bytes per second. */
  readonly bytesPerSecond?: number;
  /** Breaks the connection after so many more bytes, which arrive. */
  readonly cutAfterBytes?: number;
}

/** Data on its way, from which the sender has to wait. */
const MAX_BYTES_ON_THE_WAY = 64 * 1_024;

interface Parcel {
  readonly dueAt: number;
  readonly bytes: number;
  readonly deliver: () => void;
}

/** One direction of one connection through a proxy; it delivers in order. */
export class Flow {
  private settings: FlowSettings = {};
  private bytesUntilCut = Infinity;
  private readonly parcels: Parcel[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** When the data that is on its way has used up the rate. */
  private freeAt = 0;
  private bytesOnTheWay = 0;
  private isHolding = false;
  /** Whether data was dropped: what follows it would make no sense to the receiver. */
  private hasHole = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    /** Breaks the connection. */
    private readonly cut: () => void,
  ) {
    to.once('close', () => clearTimeout(this.timer));
  }

  /** Changes what happens to the data from now on. */
  use(settings: FlowSettings): void {
    this.settings = settings;
    this.bytesUntilCut = settings.cutAfterBytes ?? Infinity;
  }

  /** Passes on data. */
  pass(data: Buffer): void {
    if (this.isSilent) {
      this.hasHole = true;
      return;
    }
    const part = data.subarray(0, this.bytesUntilCut);
    this.bytesUntilCut -= data.length;
    const isLast = this.bytesUntilCut <= 0;
    this.schedule(part.length, () => {
      // Data is on its way to the receiver when the connection breaks, so it arrives.
      this.to.write(part, isLast ? this.cut : undefined);
    });
    if (isLast) this.bytesUntilCut = Infinity;
  }

  /** Passes on that the sender has closed the connection. */
  end(): void {
    if (!this.isSilent) this.schedule(0, () => this.to.destroy());
  }

  private get isSilent(): boolean {
    return this.hasHole || this.settings.swallows === true;
  }

  private schedule(bytes: number, deliver: () => void): void {
    const { delayMs = 0, bytesPerSecond = Infinity } = this.settings;
    const now = performance.now();
    this.freeAt = Math.max(now, this.freeAt) + (bytes * 1_000) / bytesPerSecond;
    this.parcels.push({ dueAt: this.freeAt + delayMs, bytes, deliver });
    this.bytesOnTheWay += bytes;
    if (this.bytesOnTheWay > MAX_BYTES_ON_THE_WAY && bytesPerSecond !== Infinity) {
      this.isHolding = true;
      this.from.pause();
    }
    this.deliverDue();
  }

  private deliverDue(): void {
    clearTimeout(this.timer);
    for (;;) {
      const [parcel] = this.parcels;
      if (parcel === undefined) return;
      const wait = parcel.dueAt - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.deliverDue(), wait);
        return;
      }
      this.parcels.shift();
      this.bytesOnTheWay -= parcel.bytes;
      parcel.deliver();
      this.letGo();
    }
  }

  private letGo(): void {
    if (!this.isHolding || this.bytesOnTheWay > MAX_BYTES_ON_THE_WAY) return;
    this.isHolding = false;
    this.from.resume();
  }
}
