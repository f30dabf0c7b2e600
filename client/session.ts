import type { CommandId } from '#src/protocol/frames.js';
import type { EventData } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import type { Welcome } from '#src/protocol/welcome.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';
import { Inbox } from './inbox.js';
import type { Link, LinkListener, OpenLink, ServerFrame } from './link.js';
import { Watchdog } from './watchdog.js';

/** Stands for a close code that is not known (RFC 6455). */
const NO_CODE = 1006;
/** The server is never silent for longer than its heartbeat; networks take some time as well. */
const HEARTBEAT_SLACK = 1.2;
/** After these replies come events that follow the position in them (P-3.7). */
const WITH_POSITION: ReadonlySet<string> = new Set([
  'hello',
  'room.create',
  'room.join',
  'room.sync',
]);

/** How a session ended. */
export interface SessionEnd {
  /** Close code (P-4.5): that of `bye`, or else that of the connection. */
  readonly code: number;
  readonly reason: string;
  /** Milliseconds after which the server wants the client back. */
  readonly delayMs?: number | undefined;
}

/** Called with the data of a reply before any later frame is read. */
export type TakeReply = (data: unknown) => void;

interface Request {
  readonly cmd: string;
  readonly data: object;
  readonly take: TakeReply | undefined;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One connection from the attempt to connect to its end: requests, replies, heartbeat. */
export class Session implements LinkListener {
  /** Resolves when commands can be sent; to false if that will never be. */
  readonly whenOpened: Promise<boolean>;
  /** Resolves when the connection is gone. */
  readonly whenEnded: Promise<SessionEnd>;
  private link: Link | null = null;
  private isEnded = false;
  private bye: EventData<'bye'> | null = null;
  private limits: Pick<Welcome['limits'], 'inFlight' | 'frameBytes'> = DEFAULT_LIMITS;
  private lastId = 0;
  private readonly unanswered = new Map<CommandId, Request>();
  private unsent: Request[] = [];
  private readonly inbox = new Inbox();
  private readonly watchdog = new Watchdog(() => this.abort('The server is silent.'));
  private settleOpened: (isOpen: boolean) => void = () => undefined;
  private settleEnded: (end: SessionEnd) => void = () => undefined;

  /** `onEvent` is called with each event but `bye` and `session.ping`. */
  constructor(private readonly onEvent: (event: string, data: unknown) => void) {
    this.whenOpened = new Promise((resolve) => (this.settleOpened = resolve));
    this.whenEnded = new Promise((resolve) => (this.settleEnded = resolve));
  }

  /** Whether commands that are sent now may be answered. */
  get isUsable(): boolean {
    return !this.isEnded && this.bye === null;
  }

  /** Connects. Rejects if the transport can never be had. */
  async connect(openLink: OpenLink): Promise<void> {
    if (this.isEnded) return;
    this.link = await openLink(this);
    // It may have been ended while its transport was loaded.
    if (this.isFinished()) this.link.close();
  }

  opened(): void {
    this.settleOpened(!this.isEnded);
  }

  frame(frame: ServerFrame): void {
    if (this.isEnded) return;
    this.watchdog.heard();
    this.inbox.add(() => this.take(frame));
  }

  closed(code: number, reason: string): void {
    this.inbox.add(() => this.finish(this.bye ?? { code, reason }));
  }

  /** Takes the limits and the heartbeat that the server announced (P-2.4). */
  welcomed({ limits, heartbeat: { mode, intervalMs, timeoutMs } }: Welcome): void {
    this.limits = limits;
    if (mode === 'frames') this.watchdog.watch((intervalMs + timeoutMs) * HEARTBEAT_SLACK);
  }

  /**
   * Sends a command; resolves to the data of its reply.
   *
   * Rejects with a `CommandError`, or with a `ConnectionError` of the code `lost`.
   */
  request(cmd: string, data: object, take?: TakeReply): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = { cmd, data, take, resolve, reject };
      if (this.isEnded) reject(lost(request, false));
      else if (this.isTooLarge(request)) reject(tooLarge(cmd, this.limits.frameBytes));
      else {
        this.unsent.push(request);
        this.sendMore();
      }
    });
  }

  /** Ends the connection at once, as one that is of no use. */
  abort(reason: string, delayMs?: number): void {
    this.finish(this.bye ?? { code: NO_CODE, reason, delayMs });
    this.link?.close();
  }

  /** Ends the connection in good order; `whenEnded` tells when that is done. */
  close(): void {
    if (this.link === null) this.abort('closed');
    else this.link.close();
  }

  private take(frame: ServerFrame): void {
    if ('re' in frame) this.settle(frame);
    else if (frame.event === 'bye') this.bye = frame.data as EventData<'bye'>;
    // Any frame answers a ping; one without an id is not answered in turn (P-2.12).
    else if (frame.event === 'session.ping') this.link?.send({ cmd: 'session.ping', data: {} });
    else this.onEvent(frame.event, frame.data);
  }

  private settle(reply: Extract<ServerFrame, { re: unknown }>): void {
    const request = this.unanswered.get(reply.re);
    if (request === undefined) return;
    this.unanswered.delete(reply.re);
    if (reply.ok) {
      request.take?.(reply.data);
      request.resolve(reply.data);
      if (WITH_POSITION.has(request.cmd)) this.inbox.hold();
    } else {
      request.reject(new CommandError(request.cmd, reply.error));
    }
    this.sendMore();
  }

  /** With more commands in flight the server would stop reading, or close (P-9.7). */
  private sendMore(): void {
    while (this.unanswered.size < this.limits.inFlight) {
      const request = this.unsent.shift();
      if (request === undefined) return;
      const id = ++this.lastId;
      this.unanswered.set(id, request);
      this.link?.send({ id, cmd: request.cmd, data: request.data });
    }
  }

  /** A frame that is too large would close the connection, again and again (P-9.2). */
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
