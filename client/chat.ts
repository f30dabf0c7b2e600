import type { WireError } from '#src/protocol/errors.js';
import type { EventData, LogEvent } from '#src/protocol/events.js';
import type { Attachment, Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { CallArguments, CallName, CallReply } from './call-types.js';
import type { ChatEvents, RoomEvent, Status } from './chat-events.js';
import type { CallOptions, ChatOptions } from './chat-options.js';
import { CommandError } from './command-error.js';
import { CommandSender } from './command-sender.js';
import { ConnectionError } from './connection-error.js';
import { DeliveredRooms } from './delivered-rooms.js';
import { downloadFile, uploadFile, type FileBytes } from './file-transfer.js';
import { FollowedRooms } from './followed-rooms.js';
import type { OpenLink } from './link.js';
import { Listeners } from './listeners.js';
import { newCid } from './new-cid.js';
import { Outbox, type OutgoingMessage, type SentMessage } from './outbox.js';
import { DEFAULT_RECONNECT_DELAYS, ReconnectDelay } from './reconnect-delay.js';
import type { RoomFeed } from './room-feed.js';
import { ServerAddress } from './server-address.js';
import type { Session, ReplyHandler } from './session.js';
import { SessionKeeper } from './session-keeper.js';
import { TimeLimit } from './time-limit.js';
import { TokenKeeper, type TokenListener } from './token-keeper.js';
import { TokenRefresher } from './token-refresher.js';
import { socketIoLinks } from './transports/socket-io.js';
import { webSocketLinks } from './transports/websocket.js';

const CONNECT_MS = 15_000;
/** Longer than the maximum delay before reconnecting. */
const ANSWER_MS = 30_000;
/** Maximum time in milliseconds that `close()` waits for replies. */
const DRAIN_MS = 5_000;
/** The advice for a late answer, by the status of the client. */
const ADVICE: Readonly<Record<Status['name'], string>> = {
  connecting: 'The client is still connecting; check url and the network.',
  waiting: 'The client is waiting to reconnect; the status event says why.',
  open: 'The server is connected but slow; a longer timeoutMs may help.',
  closed: 'The client has ended.',
};
/** Names in {@link ChatEvents} that are not events of the protocol. */
const OWN_EVENTS: ReadonlySet<string> = new Set(['event', 'status', 'closed', 'gap', 'error']);

/**
 * A chat client that stays connected and resumes after each loss of the connection.
 *
 * It delivers the events of the rooms that were joined, created or synced: each event once, in the
 * order of the log of its room, over any number of connections. Events that the server can no
 * longer send are reported as a `gap`.
 */
export class Chat {
  private readonly listeners = new Listeners<ChatEvents>((error, name) => {
    if (name === 'error') rethrow(error);
    else this.failed(error);
  });
  private readonly sender = new CommandSender();
  private readonly outbox = new Outbox((message, signal) =>
    this.sender.send('message.send', message, { signal }),
  );
  private readonly address: ServerAddress;
  private readonly rooms: RoomFeed;
  private readonly tokens: TokenKeeper;
  private readonly refresher: TokenRefresher;
  private readonly keeper: SessionKeeper;
  private readonly running: Promise<void>;
  private current: Status = { name: 'connecting' };
  private lastWelcome: Welcome | null = null;
  /** Why the latest attempt to connect failed; null if it did not. */
  private lastFailure: ConnectionError | null = null;
  private closing: Promise<void> | null = null;
  /** Handlers of replies that run before any later frame is read. */
  private readonly replyHandlers: Readonly<Partial<Record<CallName, ReplyHandler>>> = {
    'room.create': (cut) => this.rooms.handleCut(cut as RoomCut),
    'room.join': (cut) => this.rooms.handleCut(cut as RoomCut),
    'dm.open': (cut) => this.rooms.handleCut(cut as RoomCut),
    'room.sync': (cut) => this.rooms.handleCut(cut as RoomCut),
    'room.leave': (left) => this.rooms.leave(left as CallReply<'room.leave'>),
  };

  /** Starts to connect. Listeners that are registered in the same turn miss no event. */
  constructor(private readonly options: ChatOptions) {
    this.address = new ServerAddress(options.url);
    const openLink = linksOf(options, this.address);
    this.rooms = this.makeRooms();
    const issued: TokenListener = (token, expiresAt) => {
      this.attempt(() => options.onToken?.(token, expiresAt));
    };
    this.tokens = new TokenKeeper(options.token, issued, options.refusedToken);
    this.refresher = new TokenRefresher(this.sender, this.tokens, (error) => {
      this.listeners.call('error', error);
    });
    this.keeper = this.makeKeeper(openLink);
    this.running = this.keeper.run();
  }

  /** The state of the connection. */
  get status(): Status {
    return this.current;
  }

  /** The welcome of the latest session (P-2.4): user, limits and more; null before the first. */
  get welcome(): Welcome | null {
    return this.lastWelcome;
  }

  /** Position of the last delivered event of each log; pass it to a later client to resume. */
  get positions(): Readonly<Record<string, Position>> {
    return this.rooms.positions;
  }

  /**
   * Waits for a session; resolves to its welcome, at once if there is a session.
   *
   * @throws ConnectionError if there is none within the time limit, or the client has ended
   */
  async ready(options: CallOptions = {}): Promise<Welcome> {
    const { current } = this;
    if (current.name === 'open') return current.welcome;
    if (current.name === 'closed') throw current.error ?? closedByApp();
    const limit = this.limit('ready', options);
    let off = (): unknown => undefined;
    try {
      return await new Promise((resolve, reject) => {
        limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error));
        off = this.on('status', (status) => {
          if (status.name === 'open') resolve(status.welcome);
          else if (status.name === 'closed') reject(status.error ?? closedByApp());
        });
      });
    } finally {
      limit.stop();
      off();
    }
  }

  /**
   * Sends a command, at once or as soon as there is a session; resolves to the data of its reply
   * (P-3).
   *
   * If the connection is lost before the reply, the client sends the command again if a second
   * execution does no harm. A command that exceeds a rate is sent again after the time that the
   * server names, up to 8 times. So is a command that failed temporarily, if a second execution
   * does no harm.
   *
   * @throws CommandError if the server refused it
   * @throws ConnectionError if there is no answer, `timeout` if none within the time limit
   */
  async call<C extends CallName>(
    cmd: C,
    ...[data, options = {}]: CallArguments<C>
  ): Promise<CallReply<C>> {
    if (this.closing !== null) throw closedByApp();
    if (cmd === 'message.send') {
      return (await this.post(data as OutgoingMessage, options)) as CallReply<C>;
    }
    const given = (data ?? {}) as never;
    const onReply = this.replyHandlers[cmd];
    const limit = this.limit(cmd, options);
    const { signal } = limit;
    try {
      const sending = this.sender.send(cmd, given, {
        signal,
        ...(onReply === undefined ? {} : { onReply }),
      });
      return (await sending) as CallReply<C>;
    } finally {
      limit.stop();
    }
  }

  /**
   * Sends a message to a room; resolves when the message is stored (P-6.2).
   *
   * The client sends the message until it is answered, over any number of connections, and the
   * server stores it once. Messages to one room keep their order. After a `timeout`, send the
   * message again with the `cid` of the error: it is still stored only once.
   *
   * @throws CommandError, ConnectionError as {@link call} does
   */
  send(message: OutgoingMessage, options: CallOptions = {}): Promise<SentMessage> {
    return this.call('message.send', message, options);
  }

  /**
   * Uploads a file over HTTP, once there is a session; put its id into `files` of {@link send}.
   *
   * The time limit applies to the wait for a session, not to the transfer. A failed upload is not
   * repeated; if you repeat it, the server deletes the file that no message uses (P-14.8).
   *
   * @throws CommandError, ConnectionError as {@link call} does
   */
  async upload(bytes: FileBytes, name?: string, options: CallOptions = {}): Promise<Attachment> {
    return uploadFile(this.address, await this.readyToken(options), bytes, name);
  }

  /**
   * Downloads a file of a message, or its preview, once there is a session (P-14.7).
   *
   * @throws CommandError `not_found` if the file is gone, or not for this user
   * @throws ConnectionError as {@link call} does
   */
  async download(file: Pick<Attachment, 'url'>, options: CallOptions = {}): Promise<Blob> {
    return downloadFile(this.address, await this.readyToken(options), file.url);
  }

  /** Registers a listener; returns a function that removes it. */
  on<E extends keyof ChatEvents>(name: E, listener: (data: ChatEvents[E]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Reconnects at once if the client is waiting, for example when the network is back. */
  reconnectNow(): void {
    this.keeper.reconnectNow();
  }

  /**
   * Disconnects for good, as soon as all commands are answered, or after 5 s.
   *
   * Commands without a reply fail with a `ConnectionError` of the code `closed`.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private makeRooms(): RoomFeed {
    if (this.options.hello?.bot !== undefined) {
      return new DeliveredRooms((event) => this.deliver(event));
    }
    return new FollowedRooms(this.options.positions ?? {}, {
      sync: (data, onReply) =>
        this.sender.send('room.sync', data, { onReply: onReply as ReplyHandler, isBound: true }),
      logged: (event) => this.deliver(event),
      gap: (gap) => this.listeners.call('gap', gap),
    });
  }

  private makeKeeper(openLink: OpenLink): SessionKeeper {
    const { reconnectDelays, connectTimeoutMs = CONNECT_MS } = this.options;
    const delays = new ReconnectDelay({ ...DEFAULT_RECONNECT_DELAYS, ...reconnectDelays });
    const tools = { openLink, tokens: this.tokens, delays, connectTimeoutMs };
    return new SessionKeeper(tools, {
      hello: () => ({ ...this.options.hello, resume: this.rooms.resume }),
      welcomed: (session, welcome) => this.welcomed(session, welcome),
      event: (name, data) => this.received(name, data),
      status: (status) => this.changed(status),
      failed: (error) => this.failed(error),
    });
  }

  private welcomed(session: Session, welcome: Welcome): void {
    const isOtherUser = this.lastWelcome !== null && this.lastWelcome.user.id !== welcome.user.id;
    this.lastWelcome = welcome;
    this.sender.opened(session, isOtherUser);
    this.changed({ name: 'open', welcome });
    this.rooms.welcomed(welcome);
  }

  private changed(status: Status): void {
    this.current = status;
    if (status.name !== 'open') this.refresher.stop();
    if (status.name === 'waiting') this.lastFailure = status.error ?? null;
    if (status.name === 'open') this.lastFailure = null;
    if (status.name === 'closed') this.sender.close(status.error ?? closedByApp());
    this.listeners.call('status', status);
    if (status.name === 'closed') {
      this.listeners.call('closed', status.error === undefined ? {} : { error: status.error });
    }
  }

  private async post(given: OutgoingMessage, options: CallOptions): Promise<SentMessage> {
    const message = { ...given, cid: given.cid ?? newCid() };
    return this.outbox.send(message, this.limit('message.send', options, message.cid));
  }

  private async readyToken(options: CallOptions): Promise<string> {
    await this.ready(options);
    return (await this.tokens.current()) ?? '';
  }

  /** Starts a time limit; its error says why there was no answer. */
  private limit(what: string, { timeoutMs }: CallOptions, cid?: string): TimeLimit {
    const ms = timeoutMs ?? this.options.timeoutMs ?? ANSWER_MS;
    return new TimeLimit(ms, () => {
      const cause = this.lastFailure ?? undefined;
      const why = cause?.message ?? ADVICE[this.current.name];
      const message = `${what} had no answer within ${String(ms / 1_000)} s. ${why}`;
      return new ConnectionError('timeout', message, { cause, cid });
    });
  }

  /** Handles an event of the connection; an unknown event is delivered to `event` only. */
  private received(event: string, data: unknown): void {
    if (event === 'auth.expiring') this.refresher.expiring(data as EventData<'auth.expiring'>);
    else if (event === 'error') this.handleError(data as EventData<'error'>);
    else if (isLogged(data)) this.rooms.handle({ event, data } as LogEvent);
    else this.deliver({ event, data } as RoomEvent);
  }

  private deliver(event: RoomEvent): void {
    this.listeners.call('event', event);
    if (!OWN_EVENTS.has(event.event)) this.listeners.call(event.event, event.data);
  }

  private handleError({ cmd = '', error }: EventData<'error'>): void {
    this.listeners.call('error', new CommandError(cmd, error as WireError));
  }

  /** Calls a function of the app; reports what it throws. */
  private attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Reports an exception of the app: to the `error` listeners, or as an uncaught exception. */
  private failed(error: unknown): void {
    if (this.listeners.has('error')) this.listeners.call('error', error);
    else rethrow(error);
  }

  private async end(): Promise<void> {
    if (this.current.name === 'open') await this.drained();
    await this.keeper.close();
    await this.running;
  }

  /** Waits until everything is answered, or until the drain time is over. */
  private async drained(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    const idle = this.outbox.idle().then(() => this.sender.idle());
    await Promise.race([idle, limit]);
    clearTimeout(timer);
  }
}

function linksOf(
  { transport = 'websocket', socketIo }: ChatOptions,
  address: ServerAddress,
): OpenLink {
  if (typeof transport === 'function') return transport;
  return transport === 'websocket' ? webSocketLinks(address) : socketIoLinks(address, socketIo);
}

function isLogged(data: unknown): boolean {
  return typeof (data as { seq?: unknown } | null)?.seq === 'number';
}

function closedByApp(): ConnectionError {
  return new ConnectionError('closed', 'The client was closed.');
}

/** Throws an uncaught exception. */
function rethrow(error: unknown): void {
  setTimeout(() => {
    throw error;
  }, 0);
}
