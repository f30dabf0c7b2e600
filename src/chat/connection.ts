import { Logger } from '@nestjs/common';

import { CloseCode, mayReconnect } from '../protocol/close-codes.js';
import type { WireError } from '../protocol/errors.js';
import { Attachment } from './attachment.js';
import type { Call } from './call.js';
import { CommandQueue, type QueueOwner } from './command-queue.js';
import type { Session } from './session.js';
import type { TokenBucket } from './token-bucket.js';
import type { Handshake, IncomingCommand, Link, Place, Prepared, Sink } from './transport.js';

const logger = new Logger('Connections');

/** What the server does for each of its connections. */
export interface ConnectionServer {
  command(connection: Connection, command: IncomingCommand): void;
  malformed(connection: Connection, why: string, reply: IncomingCommand['reply']): void;
  closed(connection: Connection, code: number, reason: string): void;
  answered(connection: Connection): void;
  untilRead(connection: Connection): Promise<void> | undefined;
  run(call: Call): Promise<void>;
  isWrite(name: string): boolean;
}

/**
 * One open connection, over whatever transport; what gateways see as their client.
 *
 * It has no numeric `readyState`, by which Nest would take it for a bare WebSocket. There may be
 * many thousands of idle ones: what only a busy one needs is made when it is needed.
 */
export class Connection implements Sink, QueueOwner {
  session: Session | null = null;
  /** Rooms that the connection receives, by log. */
  readonly attachments = new Map<string, Attachment>();
  /** Reception of the user's own log, which begins with the welcome (P-5.14). */
  readonly own = new Attachment(this);
  readonly openedAt = performance.now();
  /** Commands without a reply; null when there are none. */
  queue: CommandQueue | null = null;
  /** Its place among those of its address; null if the transport holds one for it. */
  place: Place | null = null;
  /** Whether it is to hear the public room without a session (P-10.7). */
  isObserver = false;
  badFrames = 0;
  refusals = 0;
  /** Bytes of events and replies so far, for the bookkeeping of slow readers. */
  pushedBytes = 0;
  /** Bytes that had left at the last look, and since when none left. */
  leftBytes = 0;
  stalledSince: number | null = null;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private disconnectListeners: ((reason: string) => void)[] | null = null;

  constructor(
    readonly link: Link,
    readonly handshake: Handshake,
    readonly commandBucket: TokenBucket,
    private readonly backlogBytes: number,
    private readonly server: ConnectionServer,
  ) {}

  get id(): string {
    return this.link.id;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    try {
      return this.link.bufferedBytes;
    } catch (error) {
      this.fail(error);
      return 0;
    }
  }

  /** Number of commands that have no reply yet. */
  get inFlight(): number {
    return this.queue?.length ?? 0;
  }

  command(command: IncomingCommand): void {
    this.server.command(this, command);
  }

  malformed(why: string, reply?: IncomingCommand['reply']): void {
    this.server.malformed(this, why, reply);
  }

  silent(): void {
    this.bye(CloseCode.heartbeatTimeout, 'a ping was not answered');
  }

  closed(code: number, reason: string): void {
    if (this.state !== 'closed') this.server.closed(this, code, reason);
  }

  /** Takes a command in its turn. */
  accept(call: Call): void {
    this.queue ??= new CommandQueue(this);
    this.queue.accept(call);
  }

  start(call: Call): Promise<void> {
    return this.server.run(call);
  }

  isWrite(name: string): boolean {
    return this.server.isWrite(name);
  }

  untilRead(): Promise<void> | undefined {
    return this.server.untilRead(this);
  }

  answered(): void {
    if (this.queue?.isIdle === true) this.queue = null;
    this.server.answered(this);
  }

  /**
   * Sends an event to this connection alone; for gateways.
   *
   * @throws TypeError for data that JSON has no form for
   */
  emit(event: string, data: unknown): void {
    this.push(this.link.encoding.prepare(event, data));
  }

  /** Sends an event of the server's own to this connection alone. */
  tell(event: string, data: unknown): void {
    const prepared = this.prepare(event, data);
    if (prepared !== null) this.push(prepared);
  }

  /** Has the encoding of the link prepare an event; null if it failed and ended the connection. */
  prepare(event: string, data: unknown): Prepared | null {
    return this.attempt(() => this.link.encoding.prepare(event, data));
  }

  /** Sends what the encoding of the link prepared. */
  push(prepared: Prepared): void {
    if (!this.mayHold(this.bufferedBytes) || this.state !== 'open') return;
    this.pushedBytes += prepared.bytes;
    try {
      this.link.push(prepared);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Sends a reply, which counts as an event does.
   *
   * @throws TypeError for data that JSON has no form for
   */
  reply(send: () => void): void {
    const before = this.bufferedBytes;
    if (this.state === 'open' && !this.mayHold(before)) return;
    send();
    // What has left at once was no backlog: nobody needs to know of it.
    this.pushedBytes += Math.max(0, this.bufferedBytes - before);
  }

  /** Uses the transport; one that throws loses this connection and does no other harm (P-4.4). */
  attempt<T>(use: () => T): T | null {
    try {
      return use();
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** Sends an `error` event, for a failure that no reply can carry (P-4.3). */
  sendError(error: WireError, cmd?: string): void {
    this.tell('error', cmd === undefined ? { error } : { error, cmd });
  }

  /** Says `bye` and closes (P-2.14). */
  bye(code: CloseCode, reason: string, delayMs?: number): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    const reconnect = mayReconnect(code);
    const bye = { code, reason, reconnect, ...(delayMs === undefined ? {} : { delayMs }) };
    this.attempt(() => this.link.push(this.link.encoding.prepare('bye', bye)));
    this.queue?.drop();
    try {
      this.link.close(code, reason);
    } catch (error) {
      this.fail(error);
      this.closed(code, reason);
    }
  }

  /** Ends a connection that has too much unsent; one more is sent whatever its size (P-9.12). */
  private mayHold(unsent: number): boolean {
    if (unsent <= this.backlogBytes) return true;
    this.bye(CloseCode.slowConsumer, 'reading too slowly');
    return false;
  }

  private fail(err: unknown): void {
    logger.error({ msg: 'A transport failed', connection: this.id, err });
    this.bye(CloseCode.resync, 'the server failed at a frame');
  }

  /** Has something done when the connection is gone. */
  onDisconnect(listener: (reason: string) => void): void {
    (this.disconnectListeners ??= []).push(listener);
  }

  /** Notes that the connection is gone. */
  markClosed(reason: string): void {
    this.state = 'closed';
    this.queue?.drop();
    const listeners = this.disconnectListeners ?? [];
    this.disconnectListeners = null;
    for (const listener of listeners) {
      try {
        listener(reason);
      } catch (err) {
        logger.error({ msg: 'A listener failed', connection: this.id, err });
      }
    }
  }
}
