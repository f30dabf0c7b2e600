import type { WireError } from '#src/protocol/errors.js';
import type { EventData, LogEvent } from '#src/protocol/events.js';
import type { Attachment, Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { CallArguments, CallName, CallReply } from './call-types.js';
import type { ChatEvents, RoomEvent, Status } from './chat-events.js';
import type { ChatOptions } from './chat-options.js';
import { CommandError } from './command-error.js';
import { CommandSender } from './command-sender.js';
import { ConnectionError } from './connection-error.js';
import { DeliveredRooms } from './delivered-rooms.js';
import { FollowedRooms } from './followed-rooms.js';
import type { OpenLink } from './link.js';
import { Listeners } from './listeners.js';
import { Outbox, type OutgoingMessage, type SentMessage } from './outbox.js';
import { DEFAULT_RETURN_DELAYS, ReturnDelay } from './return-delay.js';
import type { RoomFeed } from './room-feed.js';
import type { Session, TakeReply } from './session.js';
import { SessionKeeper } from './session-keeper.js';
import { TokenKeeper } from './token-keeper.js';
import { TokenRefresher } from './token-refresher.js';
import { socketIoLinks } from './transports/socket-io.js';
import { webSocketLinks } from './transports/websocket.js';
import { uploadFile, type FileBytes } from './upload-file.js';

const CONNECT_MS = 15_000;
/** How long a client that closes waits for answers. */
const DRAIN_MS = 5_000;
/** Names in {@link ChatEvents} that are not those of events of the protocol. */
const OWN_EVENTS: ReadonlySet<string> = new Set(['event', 'status', 'gap', 'error']);

/**
 * A chat client: it stays connected, and takes up after each loss where it was.
 *
 * Events of rooms that were joined, created or synced are handed out once each, in the order of
 * the log of their room, whatever happens to connections; what cannot be had is told as a `gap`.
 */
export class Chat {
  private readonly listeners = new Listeners<ChatEvents>((error, name) => {
    if (name === 'error') rethrow(error);
    else this.failed(error);
  });
  private readonly sender = new CommandSender();
  private readonly outbox = new Outbox((message) => this.sender.send('message.send', message));
  private readonly rooms: RoomFeed;
  private readonly tokens: TokenKeeper;
  private readonly refresher: TokenRefresher;
  private readonly keeper: SessionKeeper;
  private readonly running: Promise<void>;
  private current: Status = { name: 'connecting' };
  private lastWelcome: Welcome | null = null;
  private closing: Promise<void> | null = null;
  /** What is done with a reply before anything else is read. */
  private readonly takers: Readonly<Partial<Record<CallName, TakeReply>>> = {
    'room.create': (cut) => this.rooms.takeCut(cut as RoomCut),
    'room.join': (cut) => this.rooms.takeCut(cut as RoomCut),
    'dm.open': (cut) => this.rooms.takeCut(cut as RoomCut),
    'room.sync': (cut) => this.rooms.takeCut(cut as RoomCut),
    'room.leave': (left) => this.rooms.leave(left as CallReply<'room.leave'>),
  };

  /** Begins to connect; listeners that are registered in the same turn miss nothing. */
  constructor(private readonly options: ChatOptions) {
    const openLink = linksOf(options);
    this.rooms = this.makeRooms();
    this.tokens = new TokenKeeper(options.token, (token, expiresAt) => {
      this.attempt(() => options.onToken?.(token, expiresAt));
    });
    this.refresher = new TokenRefresher(this.sender, this.tokens, (error) => {
      this.listeners.call('error', error);
    });
    this.keeper = this.makeKeeper(openLink);
    this.running = this.keeper.run();
  }

  /** How the client is connected. */
  get status(): Status {
    return this.current;
  }

  /** The welcome of the latest session (P-2.4): user, limits and more; null before the first. */
  get welcome(): Welcome | null {
    return this.lastWelcome;
  }

  /** Position of each log up to which events were handed out; to be given to a later client. */
  get positions(): Readonly<Record<string, Position>> {
    return this.rooms.positions;
  }

  /**
   * Resolves to the welcome as soon as there is a session, at once if there is one.
   *
   * @throws ConnectionError `stopped` or `closed`
   */
  async ready(): Promise<Welcome> {
    const { current } = this;
    if (current.name === 'open') return current.welcome;
    if (current.name === 'closed') throw current.error ?? closedByApp();
    return new Promise((resolve, reject) => {
      const off = this.on('status', (status) => {
        if (status.name === 'open') resolve(status.welcome);
        else if (status.name === 'closed') reject(status.error ?? closedByApp());
        else return;
        off();
      });
    });
  }

  /**
   * Sends a command, now or as soon as there is a session; resolves to the data of its reply (P-3).
   *
   * When the connection is lost before the reply, a command is sent again if that does no harm.
   * One that is refused for its rate is sent again after the time that the server named, some
   * times; so is one that the server could not carry out for now, if that does no harm.
   *
   * @throws CommandError if the server refused it
   * @throws ConnectionError if there is no answer to be had; its `code` tells why
   */
  async call<C extends CallName>(cmd: C, ...[data]: CallArguments<C>): Promise<CallReply<C>> {
    if (this.closing !== null) throw closedByApp();
    const given = (data ?? {}) as never;
    if (cmd === 'message.send') return (await this.outbox.send(given)) as CallReply<C>;
    const take = this.takers[cmd];
    const reply = await this.sender.send(cmd, given, take === undefined ? {} : { take });
    return reply as CallReply<C>;
  }

  /**
   * Says something in a room; resolves when the message is stored (P-6.2).
   *
   * The message is sent until it is answered, over as many connections as that takes, and stored
   * once; messages to one room keep their order.
   *
   * @throws CommandError, ConnectionError as {@link call} does
   */
  send(message: OutgoingMessage): Promise<SentMessage> {
    return this.call('message.send', message);
  }

  /**
   * Uploads a file over HTTP, once there is a session; its id is for `files` of {@link send}.
   *
   * It is tried once: a file that is uploaded twice and sent once is removed by itself (P-14.8).
   *
   * @throws CommandError, ConnectionError as {@link call} does
   */
  async upload(bytes: FileBytes, name?: string): Promise<Attachment> {
    await this.ready();
    const token = (await this.tokens.current()) ?? '';
    return uploadFile(this.options.url, token, bytes, name);
  }

  /** Registers a listener; gives a function that takes it off again. */
  on<E extends keyof ChatEvents>(name: E, listener: (data: ChatEvents[E]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Comes back at once if the client waits to do so; for who knows that the network is there. */
  hurry(): void {
    this.keeper.hurry();
  }

  /**
   * Disconnects for good, after what was sent is answered, or after 5 s.
   *
   * What is not answered by then fails with a `ConnectionError` of the code `closed`.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private makeRooms(): RoomFeed {
    if (this.options.hello?.bot !== undefined) {
      return new DeliveredRooms((event) => this.handOut(event));
    }
    return new FollowedRooms(this.options.positions ?? {}, {
      sync: (data, take) =>
        this.sender.send('room.sync', data, { take: take as TakeReply, isBound: true }),
      logged: (event) => this.handOut(event),
      gap: (gap) => this.listeners.call('gap', gap),
    });
  }

  private makeKeeper(openLink: OpenLink): SessionKeeper {
    const { returnDelays, connectTimeoutMs = CONNECT_MS } = this.options;
    const delays = new ReturnDelay({ ...DEFAULT_RETURN_DELAYS, ...returnDelays });
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
    if (status.name === 'closed') this.sender.close(status.error ?? closedByApp());
    this.listeners.call('status', status);
  }

  /** Takes an event of the connection; those that nobody knows are handed out as `event` alone. */
  private received(event: string, data: unknown): void {
    if (event === 'auth.expiring') this.refresher.expiring(data as EventData<'auth.expiring'>);
    else if (event === 'error') this.told(data as EventData<'error'>);
    else if (isLogged(data)) this.rooms.take({ event, data } as LogEvent);
    else this.handOut({ event, data } as RoomEvent);
  }

  private handOut(event: RoomEvent): void {
    this.listeners.call('event', event);
    if (!OWN_EVENTS.has(event.event)) this.listeners.call(event.event, event.data);
  }

  private told({ cmd = '', error }: EventData<'error'>): void {
    this.listeners.call('error', new CommandError(cmd, error as WireError));
  }

  /** Calls a function of the app. */
  private attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(error);
    }
  }

  /** What the app throws is never swallowed: it is told, or thrown where nothing is awaited. */
  private failed(error: unknown): void {
    if (this.listeners.has('error')) this.listeners.call('error', error);
    else rethrow(error);
  }

  private async end(): Promise<void> {
    if (this.current.name === 'open') await this.drained();
    await this.keeper.close();
    await this.running;
  }

  /** Resolves when everything is answered, or when that takes too long. */
  private async drained(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    const idle = this.outbox.idle().then(() => this.sender.idle());
    await Promise.race([idle, limit]);
    clearTimeout(timer);
  }
}

function linksOf({ transport = 'websocket', url, socketIo }: ChatOptions): OpenLink {
  if (typeof transport === 'function') return transport;
  return transport === 'websocket' ? webSocketLinks(url) : socketIoLinks(url, socketIo);
}

function isLogged(data: unknown): boolean {
  return typeof (data as { seq?: unknown } | null)?.seq === 'number';
}

function closedByApp(): ConnectionError {
  return new ConnectionError('closed', 'The client was closed.');
}

/** Throws where nothing awaits it. */
function rethrow(error: unknown): void {
  setTimeout(() => {
    throw error;
  }, 0);
}
