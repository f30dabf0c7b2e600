import type { PausableReader } from '../../limits/address-budget.js';
import { TokenBucket, type BucketRate } from '../../limits/token-bucket.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Limits } from '../../protocol/limits.js';
import { Call } from '../connections/call.js';
import type { Connection } from '../connections/connection.js';
import type { IncomingCommand } from '../connections/transport.js';
import type { Intake } from '../ports/dialect-port.js';
import { CommandQueue, type QueueServices } from './command-queue.js';

/** Refused commands, as a multiple of the burst, after which a connection is closed. */
const ABUSE_FACTOR = 10;
/** Commands that may wait on a connection whose reading cannot be paused. */
const WAITING_MAX = 256;

/** The objects that the intakes of all connections share. */
export interface IntakeServices extends QueueServices {
  readonly limits: Limits;
  readonly commandRate: BucketRate;
}

/**
 * Receives the commands of one connection: counts frames and refusals, pauses reading, queues.
 *
 * The queue exists only while there are commands without a reply.
 */
export class CommandIntake implements Intake, PausableReader {
  private readonly bucket: TokenBucket;
  private queue: CommandQueue | null = null;
  private badFrames = 0;
  private refusals = 0;
  /** Whether reading is paused because the address has sent too much. */
  private isPausedForAddress = false;
  private isDraining = false;

  constructor(
    readonly connection: Connection,
    private readonly services: IntakeServices,
  ) {
    this.bucket = new TokenBucket(services.commandRate);
  }

  /** Number of commands without a reply. */
  get inFlight(): number {
    return this.queue?.length ?? 0;
  }

  heard(bytes: number): void {
    this.connection.budget?.charge(bytes, this);
  }

  command(command: IncomingCommand): void {
    if (!this.connection.isOpen) return;
    this.badFrames = 0;
    this.add(command);
  }

  /** Adds a hello of the handshake; the welcome, or the error, is sent as an event (P-2.10). */
  addHello(hello: unknown): void {
    const { connection } = this;
    const data =
      typeof hello === 'object' && hello !== null ? { protocol: 1, ...hello } : { hello };
    this.add({
      name: 'hello',
      data,
      reply: (outcome) => {
        if (outcome.ok) connection.tell('welcome', outcome.data);
        else connection.sendError(outcome.error, 'hello');
      },
    });
  }

  /** Answers a frame that is not a command; closes a connection that sends only such (P-3.8). */
  malformed(why: string, reply: IncomingCommand['reply']): void {
    const { connection } = this;
    if (!connection.isOpen) return;
    this.badFrames++;
    const error = new ProtocolError('bad_frame', { message: why }).toWire();
    if (reply === undefined) connection.sendError(error);
    else reply({ ok: false, error });
    if (this.badFrames >= this.services.limits.badFrames) {
      connection.bye(CloseCode.protocolViolation, 'too many frames in a row are not commands');
    }
    this.charge();
  }

  silent(): void {
    this.connection.bye(CloseCode.heartbeatTimeout, 'a ping was not answered');
  }

  closed(code: number, reason: string): void {
    this.connection.closed(code, reason);
  }

  /**
   * Charges one command to the rate of the connection; returns the milliseconds to wait, or 0.
   *
   * Closes a connection that keeps sending commands that are refused (P-9.10).
   */
  charge(): number {
    const { commandRate } = this.services;
    const retryAfterMs = this.bucket.consume() || this.waitForAddress();
    // Not reset to 0: even during a flood, the rate admits a command from time to time.
    this.refusals = Math.max(0, this.refusals + (retryAfterMs === 0 ? -1 : 1));
    if (this.refusals >= commandRate.burst * ABUSE_FACTOR) {
      this.connection.bye(CloseCode.rateAbuse, 'too many commands were refused');
    }
    return retryAfterMs;
  }

  pauseReading(): void {
    this.isPausedForAddress = true;
    this.pauseLink();
  }

  resumeReading(): void {
    this.isPausedForAddress = false;
    this.resumeLink();
  }

  /** Drops the queue when it is empty, and reads on if reading was paused. */
  onProgress(): void {
    if (this.queue?.isIdle === true) this.queue = null;
    this.resumeLink();
  }

  /** Stops reading for good. */
  stopReading(): void {
    this.isDraining = true;
    this.connection.attempt(() => this.connection.link.pause());
  }

  /** Resolves when every command that was read has its reply; undefined if all have one. */
  drained(): Promise<void> | undefined {
    return this.queue?.drained();
  }

  private add(command: IncomingCommand): void {
    const { connection, services } = this;
    const retryAfterMs = this.charge();
    if (!connection.isOpen) return;
    const details = { bucket: 'commands' };
    const refusal =
      retryAfterMs > 0 ? new ProtocolError('rate_limited', { retryAfterMs, details }) : undefined;
    this.queue ??= new CommandQueue(connection, services, this);
    this.queue.add(new Call(connection, command, refusal));
    if (this.inFlight < services.limits.inFlight) return;
    if (connection.link.pausable) this.pauseLink();
    else if (this.inFlight > WAITING_MAX) {
      connection.bye(CloseCode.rateAbuse, 'too many commands wait for their replies');
    }
  }

  /** Returns how long an address over its budget must wait, if reading cannot be paused; or 0. */
  private waitForAddress(): number {
    const { link, budget } = this.connection;
    if (!this.isPausedForAddress || link.pausable) return 0;
    return budget?.waitMs() ?? 0;
  }

  private pauseLink(): void {
    const { connection } = this;
    if (connection.link.pausable) connection.attempt(() => connection.link.pause());
  }

  private resumeLink(): void {
    const { connection } = this;
    if (this.isDraining || this.isPausedForAddress || !connection.link.pausable) return;
    if (this.inFlight < this.services.limits.inFlight) {
      connection.attempt(() => connection.link.resume());
    }
  }
}
