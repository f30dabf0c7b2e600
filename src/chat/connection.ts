import { CloseCode, mayReconnect } from '../protocol/close-codes.js';
import type { WireError } from '../protocol/errors.js';
import { Attachment } from './attachment.js';
import type { Call } from './call.js';
import { CommandQueue, type QueueOwner } from './command-queue.js';
import type { Session } from './session.js';
import type { TokenBucket } from './token-bucket.js';
import type { Handshake, IncomingCommand, Link, Place, Prepared, Sink } from './transport.js';

/** What the server does for each of its connections. */
export interface ConnectionServer {
  command(connection: Connection, command: IncomingCommand): void;
  malformed(connection: Connection, why: string, reply: IncomingCommand['reply']): void;
  closed(connection: Connection, code: number, reason: string): void;
  answered(connection: Connection): void;
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
  badFrames = 0;
  refusals = 0;
  /** Bytes of events that were pushed, for the bookkeeping of slow readers. */
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
    this.server.closed(this, code, reason);
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

  answered(): void {
    if (this.queue?.isIdle === true) this.queue = null;
    this.server.answered(this);
  }

  /** Sends an event to this connection alone. */
  emit(event: string, data: unknown): void {
    this.push(this.link.encoding.prepare(event, data));
  }

  /** Sends what the encoding of the link prepared. */
  push(prepared: Prepared): void {
    if (this.state !== 'open') return;
    this.pushedBytes += prepared.bytes;
    this.link.push(prepared);
    if (this.link.bufferedBytes > this.backlogBytes) {
      this.bye(CloseCode.slowConsumer, 'reading too slowly');
    }
  }

  /** Sends an `error` event, for a failure that no reply can carry (P-4.3). */
  sendError(error: WireError, cmd?: string): void {
    this.emit('error', cmd === undefined ? { error } : { error, cmd });
  }

  /** Says `bye` and closes (P-2.14). */
  bye(code: CloseCode, reason: string, delayMs?: number): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    const reconnect = mayReconnect(code);
    const bye = { code, reason, reconnect, ...(delayMs === undefined ? {} : { delayMs }) };
    this.link.push(this.link.encoding.prepare('bye', bye));
    this.queue?.drop();
    this.link.close(code, reason);
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
    for (const listener of listeners) listener(reason);
  }
}
