import type { CommandId } from '#src/protocol/frames.js';
import type { EventData } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import type { Welcome } from '#src/protocol/welcome.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';
import { Inbox } from './inbox.js';
import type { Link, LinkListener, OpenLink, ServerFrame } from './link.js';
import { Watchdog } from './watchdog.js';

/** Close code for an unknown reason (RFC 6455). */
const NO_CODE = 1006;
/** The server is never silent for longer than its heartbeat; the factor allows for the network. */
const HEARTBEAT_SLACK = 1.2;
/** Commands whose replies contain a position, which later events follow (P-3.7). */
const COMMANDS_WITH_POSITION: ReadonlySet<string> = new Set([
  'hello',
  'room.create',
  'room.join',
  'room.sync',
]);

/** The end of a session. */
export interface SessionEnd {
  /** Close code (P-4.5): that of `bye`, or that of the connection if there was none. */
  readonly code: number;
  readonly reason: string;
  /** Milliseconds after which the server asks the client to reconnect. */
  readonly delayMs?: number | undefined;
  /** Why there was no session, if it is known. */
  readonly error?: ConnectionError | undefined;
}

/** Called with the data of a reply before any later frame is read. */
export type ReplyHandler = (data: unknown) => void;

interface Request {
  readonly cmd: string;
  readonly data: object;
  readonly onReply: ReplyHandler | undefined;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One connection, from the attempt to connect to its end: requests, replies, heartbeat. */
export class Session implements LinkListener {
  /** Resolves to true when commands can be sent, to false if the connection does not open. */
  readonly whenOpened: Promise<boolean>;
  /** Resolves when the connection has ended. */
  readonly whenEnded: Promise<SessionEnd>;
  private link: Link | null = null;
  /** Whether the connection has opened. */
  isOpened = false;
  private isEnded = false;
  private bye: EventData<'bye'> | null = null;
  private limits: Pick<Welcome['limits'], 'inFlight' | 'frameBytes'> = DEFAULT_LIMITS;
  private lastId = 0;
  private readonly unanswered = new Map<CommandId, Request>();
  private unsent: Request[] = [];
  private readonly inbox = new Inbox();
  private readonly watchdog = new Watchdog(() => this.abort('The server stopped responding.'));
  private settleOpened: (isOpen: boolean) => void = () => undefined;
  private settleEnded: (end: SessionEnd) => void = () => undefined;

  /** `onEvent` is called with each event but `bye` and `session.ping`. */
  constructor(private readonly onEvent: (event: string, data: unknown) => void) {
    this.whenOpened = new Promise((resolve) => (this.settleOpened = resolve));
    this.whenEnded = new Promise((resolve) => (this.settleEnded = resolve));
  }

  /** Whether commands that are sent now can be answered. */
  get isUsable(): boolean {
    return !this.isEnded && this.bye === null;
  }

  /** Connects; rejects if the transport is not available. */
  async connect(openLink: OpenLink): Promise<void> {
    if (this.isEnded) return;
    this.link = await openLink(this);
    // The session may have ended while its transport was loaded.
    if (this.isFinished()) this.link.close();
  }

  opened(): void {
    this.isOpened = true;
    this.settleOpened(!this.isEnded);
  }

  frame(frame: ServerFrame): void {
    if (this.isEnded) return;
    this.watchdog.heard();
    this.inbox.add(() => this.handle(frame));
  }

  closed(code: number, reason: string, error?: ConnectionError): void {
    this.inbox.add(() => this.finish(this.bye ?? { code, reason, error }));
  }

  /** Applies the limits and the heartbeat that the server announced (P-2.4). */
  welcomed({ limits, heartbeat: { mode, intervalMs, timeoutMs } }: Welcome): void {
    this.limits = limits;
    if (mode === 'frames') this.watchdog.watch((intervalMs + timeoutMs) * HEARTBEAT_SLACK);
  }

  /**
   * Sends a command; resolves to the data of its reply.
   *
   * Rejects with a `CommandError`, or with a `ConnectionError` of the code `lost`.
   */
  request(cmd: string, data: object, onReply?: ReplyHandler): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = { cmd, data, onReply, resolve, reject };
      if (this.isEnded) reject(lost(request, false));
      else if (this.isTooLarge(request)) reject(tooLarge(cmd, this.limits.frameBytes));
      else {
        this.unsent.push(request);
        this.sendMore();
      }
    });
  }

  /** Ends the connection at once, without a closing handshake. */
  abort(reason: string, { delayMs, error }: Pick<SessionEnd, 'delayMs' | 'error'> = {}): void {
    this.finish(this.bye ?? { code: NO_CODE, reason, delayMs, error });
    this.link?.close();
  }

  /** Closes the connection; `whenEnded` resolves when that is done. */
  close(): void {
    if (this.link === null) this.abort('closed');
    else this.link.close();
  }

  private handle(frame: ServerFrame): void {
    if ('re' in frame) this.settle(frame);
    else if (frame.event === 'bye') this.bye = frame.data as EventData<'bye'>;
    // Any frame answers a ping; a command without an id gets no reply (P-2.12).
    else if (frame.event === 'session.ping') this.link?.send({ cmd: 'session.ping', data: {} });
    else this.onEvent(frame.event, frame.data);
  }

  private settle(reply: Extract<ServerFrame, { re: unknown }>): void {
    const request = this.unanswered.get(reply.re);
    if (request === undefined) return;
    this.unanswered.delete(reply.re);
    if (reply.ok) {
      request.onReply?.(reply.data);
      request.resolve(reply.data);
      if (COMMANDS_WITH_POSITION.has(request.cmd)) this.inbox.hold();
    } else {
      request.reject(new CommandError(request.cmd, reply.error));
    }
    this.sendMore();
  }

  /** Respects the limit of commands in flight, above which the server stops reading (P-9.7). */
  private sendMore(): void {
    while (this.unanswered.size < this.limits.inFlight) {
      const request = this.unsent.shift();
      if (request === undefined) return;
      const id = ++this.lastId;
      this.unanswered.set(id, request);
      this.link?.send({ id, cmd: request.cmd, data: request.data });
    }
  }

  /** A frame that is too large would close the connection, at each attempt (P-9.2). */
  private isTooLarge({ cmd, data }: Request): boolean {
    const text = JSON.stringify({ id: Number.MAX_SAFE_INTEGER, cmd, data });
    if (text.length * 3 <= this.limits.frameBytes) return false;
    return new TextEncoder().encode(text).length > this.limits.frameBytes;
  }

  private isFinished(): boolean {
    return this.isEnded;
  }

  private finish(end: SessionEnd): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.watchdog.stop();
    this.inbox.clear();
    for (const request of this.unanswered.values()) request.reject(lost(request, true));
    for (const request of this.unsent) request.reject(lost(request, false));
    this.unanswered.clear();
    this.unsent = [];
    this.settleOpened(false);
    this.settleEnded(end);
  }
}

function lost({ cmd }: Request, wasSent: boolean): ConnectionError {
  return new ConnectionError('lost', `The connection was lost before ${cmd} was answered.`, {
    wasSent,
  });
}

function tooLarge(cmd: string, limit: number): CommandError {
  const message = `The command has more than ${String(limit)} bytes.`;
  return new CommandError(cmd, {
    code: 'too_long',
    message,
    retryable: false,
    details: { limit },
  });
}
