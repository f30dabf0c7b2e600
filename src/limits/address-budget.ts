import type { Limits } from '../protocol/limits.js';
import { TokenBucket } from './token-bucket.js';

/** A frame costs one token, and one more for each of these many bytes. */
const BYTES_PER_TOKEN = 4_096;
/** Minimum time for which reading is paused. */
const MIN_PAUSE_MS = 20;

/** A connection whose reading an address budget pauses and resumes. */
export interface PausableReader {
  pauseReading(): void;
  resumeReading(): void;
}

/**
 * The shared budget of all users of one address (P-9.10).
 *
 * Reading from the connections of an address is paused while it has sent too many frames: frames
 * that the server has not read cost nothing. The other buckets refuse commands.
 */
export class AddressBudget {
  /** Messages and other changes that everybody in a room receives. */
  readonly messages: TokenBucket;
  /** Bytes of replies to commands that read. */
  readonly reads: TokenBucket;
  private readonly frames: TokenBucket;
  private readonly readers = new Set<PausableReader>();
  private timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits) {
    const factor = limits.busyUsersPerAddress;
    const times = (perSecond: number, burst: number) =>
      new TokenBucket({ perSecond: perSecond * factor, burst: burst * factor });
    this.messages = times(limits.messagesPerSecond, limits.messagesBurst);
    this.reads = times(limits.readBytesPerSecond, limits.readBytesBurst);
    this.frames = times(limits.commandsPerSecond, limits.commandsBurst);
  }

  /** Returns the milliseconds until the address may send more. */
  waitMs(): number {
    return this.frames.waitMs();
  }

  /** Adds a connection of the address. */
  add(reader: PausableReader): void {
    this.readers.add(reader);
    if (this.isPaused) reader.pauseReading();
  }

  /** Removes a connection of the address. */
  remove(reader: PausableReader): void {
    this.readers.delete(reader);
  }

  /** Charges a frame that was read; past the budget, reading is paused for a while. */
  charge(bytes: number, reader: PausableReader): void {
    this.frames.charge(1 + Math.floor(bytes / BYTES_PER_TOKEN));
    // The connection may have upgraded from polling to a WebSocket, which can be paused.
    if (this.isPaused) reader.pauseReading();
    const waitMs = this.frames.waitMs();
    if (waitMs === 0 || this.isPaused) return;
    for (const one of this.readers) one.pauseReading();
    this.resumeIn(waitMs);
  }

  private get isPaused(): boolean {
    return this.timer !== undefined;
  }

  private resumeIn(ms: number): void {
    this.timer = setTimeout(() => this.resume(), Math.max(ms, MIN_PAUSE_MS)).unref();
  }

  private resume(): void {
    this.timer = undefined;
    // Frames that were read before reading was paused may have overdrawn the bucket.
    const waitMs = this.frames.waitMs();
    if (waitMs > 0) {
      this.resumeIn(waitMs);
      return;
    }
    for (const reader of this.readers) reader.resumeReading();
  }
}
