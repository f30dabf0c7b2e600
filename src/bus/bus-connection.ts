import { randomUUID } from 'node:crypto';

import type { BusClock, Cancel } from './bus-clock.js';
import { OPEN_MS, type BusSession } from './bus-driver.js';
import { StallMeter } from './stall-meter.js';

const TICK_MS = 100;
const TICKS_PER_ECHO = 4;
/** Silence after which a connection counts as lost. */
const SILENCE_MS = 1_000;
/** Bytes that may be under way before frames are dropped. */
const MAX_UNCONFIRMED_BYTES = 8 * 1_024 * 1_024;
/** Bytes after which an echo is sent early. */
const ECHO_BYTES = 512 * 1_024;

/**
 * One connection, watched by an echo.
 *
 * The connection sends itself a frame every 400 ms. Hearing it proves that publishing works,
 * that subscriptions work, and that everything published before has left this process. Neither the
 * open socket nor an answered ping proves all of this.
 */
export class BusConnection {
  /** Distinguishes the echoes of this connection from those of the connection before. */
  private readonly id = randomUUID();
  private readonly stalls: StallMeter;
  private readonly stopTicks: Cancel;
  private hearFirstEcho: () => void = () => undefined;
  private isConfirmed = false;
  private ticks = 0;
  private heardAt: number;
  private sentBytes = 0;
  private echoedBytes = 0;
  private confirmedBytes = 0;

  constructor(
    private readonly session: BusSession,
    private readonly clock: BusClock,
    private readonly echoSubject: string,
    private readonly lost: (reason: Error) => void,
  ) {
    this.heardAt = clock.now();
    this.stalls = new StallMeter(clock, TICK_MS);
    this.stopTicks = clock.every(TICK_MS, () => this.tick());
  }

  /** Maximum number of bytes of a frame. */
  get maxBytes(): number {
    return this.session.maxBytes;
  }

  /** Subscribes to subjects and to the echo; resolves when all are confirmed and one was heard. */
  async confirm(subjects: readonly string[]): Promise<void> {
    await this.session.subscribe([this.echoSubject, ...subjects]);
    await new Promise<void>((resolve) => {
      this.hearFirstEcho = resolve;
      this.echo();
    });
  }

  /** Subscribes to one more subject; resolves when it is confirmed. */
  async subscribe(subject: string): Promise<void> {
    await this.session.subscribe([subject]);
  }

  /** Ends a subscription. */
  unsubscribe(subject: string): void {
    this.session.unsubscribe(subject);
  }

  /** Sends a frame; returns false if it is too large or too many bytes are under way. */
  publish(subject: string, bytes: Uint8Array): boolean {
    if (bytes.length > this.maxBytes) return false;
    if (this.sentBytes - this.confirmedBytes > MAX_UNCONFIRMED_BYTES) return false;
    const isSent = this.send(subject, bytes);
    if (this.sentBytes - this.echoedBytes > ECHO_BYTES) this.echo();
    return isSent;
  }

  /** Notes an echo that was heard. */
  hearEcho(bytes: Uint8Array): void {
    const [id, text] = Buffer.from(bytes).toString().split(' ');
    const confirmed = Number(text);
    if (id !== this.id || !(confirmed <= this.sentBytes)) return;
    this.heardAt = this.clock.now();
    this.confirmedBytes = Math.max(this.confirmedBytes, confirmed);
    this.isConfirmed = true;
    this.hearFirstEcho();
  }

  /** Sends what was published, and disconnects. */
  async close(): Promise<void> {
    this.stopTicks();
    await this.session.close();
  }

  /** Disconnects at once. */
  abort(): void {
    this.stopTicks();
    this.session.abort();
  }

  private tick(): void {
    this.heardAt += this.stalls.tick();
    const limit = this.isConfirmed ? SILENCE_MS : OPEN_MS;
    if (this.clock.now() - this.heardAt > limit) {
      this.lost(new Error(`no answer within ${String(limit)} ms`));
    } else if (this.isConfirmed && ++this.ticks % TICKS_PER_ECHO === 0) {
      this.echo();
    }
  }

  private echo(): void {
    this.echoedBytes = this.sentBytes;
    this.send(this.echoSubject, Buffer.from(`${this.id} ${String(this.sentBytes)}`));
  }

  private send(subject: string, bytes: Uint8Array): boolean {
    this.sentBytes += bytes.length;
    try {
      return this.session.publish(subject, bytes);
    } catch (error) {
      this.lost(error as Error);
      return false;
    }
  }
}
