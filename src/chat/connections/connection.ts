import { Logger } from '@nestjs/common';

import type { AddressBudget } from '../../limits/address-budget.js';
import { CloseCode, mayReconnect } from '../../protocol/close-codes.js';
import type { WireError } from '../../protocol/errors.js';
import type { Session } from './session.js';
import type { Handshake, Link, Prepared } from './transport.js';

const RETURN_SPREAD_MS = 10_000;
const logger = new Logger('Connections');

/** Cleans up after a connection; called once, when the connection is gone. */
export type CloseHandler = (connection: Connection, code: number, reason: string) => void;

/** Returns a random delay in milliseconds, so that clients do not all reconnect at once. */
export function reconnectDelay(spreadMs = RETURN_SPREAD_MS): number {
  return Math.floor(Math.random() * spreadMs);
}

/**
 * One open connection over any transport: its identity, its session and what is sent to it.
 *
 * Gateways see it as their client. It has no numeric `readyState`: Nest would treat it as a bare
 * WebSocket. There may be many thousands of idle connections, so what only a busy one needs is
 * kept elsewhere and created on demand.
 */
export class Connection {
  readonly openedAt = performance.now();
  private currentSession: Session | null = null;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private pushedBytes = 0;
  private disconnectListeners: ((reason: string) => void)[] | null = null;

  /** `budget` is shared by all connections of the address; null if the address has no limit. */
  constructor(
    readonly link: Link,
    readonly handshake: Handshake,
    readonly budget: AddressBudget | null,
    private readonly backlogBytes: number,
    private readonly onClosed: CloseHandler,
  ) {}

  get id(): string {
    return this.link.id;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** The session; null before hello. It stays readable after the connection is closed. */
  get session(): Session | null {
    return this.currentSession;
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

  /** Bytes of events and replies so far, sent or not. */
  get totalBytes(): number {
    return this.pushedBytes;
  }

  /** Sets the session when hello succeeds; null when a later step of hello fails. */
  setSession(session: Session | null): void {
    this.currentSession = session;
  }

  /**
   * Sends an event to this connection only; for gateways.
   *
   * @throws TypeError for data that JSON cannot express
   */
  emit(event: string, data: unknown): void {
    this.push(this.link.encoding.prepare(event, data));
  }

  /** Sends an event of the server to this connection only. */
  tell(event: string, data: unknown): void {
    const prepared = this.prepare(event, data);
    if (prepared !== null) this.push(prepared);
  }

  /** Encodes an event for this link; returns null if that failed and ended the connection. */
  prepare(event: string, data: unknown): Prepared | null {
    return this.attempt(() => this.link.encoding.prepare(event, data));
  }

  /** Sends an event that the encoding of the link has prepared. */
  push(prepared: Prepared): void {
    if (!this.mayBuffer(this.bufferedBytes) || this.state !== 'open') return;
    this.pushedBytes += prepared.bytes;
    try {
      this.link.push(prepared);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Sends a reply; its bytes count like those of an event.
   *
   * @throws TypeError for data that JSON cannot express
   */
  reply(send: () => void): void {
    const before = this.bufferedBytes;
    if (this.state === 'open' && !this.mayBuffer(before)) return;
    send();
    // Bytes that left at once were never a backlog.
    this.pushedBytes += Math.max(0, this.bufferedBytes - before);
  }

  /** Calls the transport; if that throws, only this connection ends (P-4.4). */
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

  /** Sends `bye` and closes (P-2.14). */
  bye(code: CloseCode, reason: string, delayMs?: number): void {
    if (this.state !== 'open') return;
    this.state = 'closing';
    const reconnect = mayReconnect(code);
    const bye = { code, reason, reconnect, ...(delayMs === undefined ? {} : { delayMs }) };
    this.attempt(() => this.link.push(this.link.encoding.prepare('bye', bye)));
    try {
      this.link.close(code, reason);
    } catch (error) {
      this.fail(error);
      this.closed(code, reason);
    }
  }

  /** Registers a listener that is called when the connection is gone. */
  onDisconnect(listener: (reason: string) => void): void {
    (this.disconnectListeners ??= []).push(listener);
  }

  /** Marks the connection as gone and cleans up after it; later calls do nothing. */
  closed(code: number, reason: string): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.onClosed(this, code, reason);
    const listeners = this.disconnectListeners ?? [];
    this.disconnectListeners = null;
    for (const listener of listeners) {
      try {
        listener(reason);
      } catch (err) {
        logger.error({ msg: 'A disconnect listener failed', connection: this.id, err });
      }
    }
  }

  /** Ends a connection with too many unsent bytes; the last push may have any size (P-9.12). */
  private mayBuffer(unsent: number): boolean {
    if (unsent <= this.backlogBytes) return true;
    this.bye(CloseCode.slowConsumer, 'reading too slowly');
    return false;
  }

  private fail(err: unknown): void {
    logger.error({ msg: 'A transport failed', connection: this.id, err });
    this.bye(CloseCode.resync, 'the server failed to send a frame');
  }
}
