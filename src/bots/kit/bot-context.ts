import type { Message, User } from '../../protocol/models.js';
import type { Address } from './addressing.js';
import { BotAlarms } from './bot-alarms.js';
import type { BotClock } from './bot-clock.js';
import { eventId, locationOf, type BotEvent } from './bot-event.js';
import type { BotHost, RoomBot } from './bot-host.js';
import { BotLog } from './bot-log.js';
import { StateBuffer, type BotState } from './bot-state.js';
import { shorten } from './shorten.js';

/** The event that a bot reacts to, with its message, author and address. */
export interface BotTrigger {
  readonly event: BotEvent;
  /** The created message; null for other events. */
  readonly message: Message | null;
  /** The user who caused the event; null for the server. */
  readonly author: User | null;
  readonly address: Address | null;
}

/** Thrown when a handler tries to act after its timeout. */
export class BotFencedError extends Error {
  override readonly name = 'BotFencedError';

  constructor() {
    super('This handler has timed out: its actions are refused.');
  }
}

/** Thrown when a handler uses the state of the author of an event that has no author. */
class NoAuthorError extends Error {
  override readonly name = 'NoAuthorError';

  constructor() {
    super('state.user is not available: this event has no author.');
  }
}

/** Options of a message that a handler writes. */
export interface SayOptions {
  /** A notice triggers no bot (P-13.7). */
  readonly notice?: boolean;
}

/** The context of one run of a handler: the event, and the actions that it may take. */
export class BotContext {
  /** The match of the handler's pattern; null for handlers without a pattern. */
  matches: RegExpExecArray | null = null;
  /** Time at which the handler times out, in milliseconds since 1970. */
  readonly deadline: number;
  private readonly buffer: StateBuffer;
  private readonly controller = new AbortController();
  private ownLog: BotLog | undefined;
  private sent = 0;
  private fenced = false;
  private passedOn = false;

  constructor(
    private readonly host: BotHost,
    readonly bot: { readonly name: string; readonly timeoutMs: number },
    private readonly trigger: BotTrigger,
    private readonly method: string,
    private readonly clock: BotClock,
  ) {
    this.deadline = clock.now() + bot.timeoutMs;
    this.buffer = new StateBuffer(host);
  }

  /** Id of the room. */
  get room(): string {
    return this.trigger.event.data.room;
  }

  /** The event that the handler was called for. */
  get event(): BotEvent {
    return this.trigger.event;
  }

  /** The message that the handler was called for; null for other events. */
  get message(): Message | null {
    return this.trigger.message;
  }

  /** The user who wrote the message or caused the event; null for the server. */
  get author(): User | null {
    return this.trigger.author;
  }

  /** The text without its leading mention or command. */
  get text(): string {
    return this.trigger.address?.text ?? this.message?.text ?? '';
  }

  /** Aborted when the handler times out; pass it to long-running operations. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The log of the process, for operators; do not log what people write. */
  get log(): BotLog {
    return (this.ownLog ??= new BotLog(this.bot.name, {
      ...locationOf(this.event),
      handler: this.method,
    }));
  }

  /** The current time, in milliseconds since 1970. */
  get now(): number {
    return this.clock.now();
  }

  /** The alarms of the bot in this room. */
  get alarms(): BotAlarms {
    return new BotAlarms(this.buffer.of({ alarms: this.room }));
  }

  /** The state of the bot for this room and for the author; `user` throws without an author. */
  get state(): { readonly room: BotState; readonly user: BotState } {
    const { author, buffer } = this;
    return {
      room: buffer.of({ room: this.room }),
      get user() {
        if (author === null) throw new NoAuthorError();
        return buffer.of({ user: author.id });
      },
    };
  }

  /** Whether {@link next} was called. */
  get isPassedOn(): boolean {
    return this.passedOn;
  }

  /** Writes a message in the room. */
  say(text: string, { notice = false }: SayOptions = {}): Promise<Message> {
    return this.act(() => this.send(text, notice, undefined));
  }

  /** Replies to the message of the event. */
  reply(text: string, { notice = false }: SayOptions = {}): Promise<Message> {
    return this.act(() => this.send(text, notice, this.message?.id));
  }

  /** Edits a message of the bot. */
  edit(message: Message, text: string): Promise<Message> {
    return this.act(async () => {
      this.checkFence();
      return this.host.edit(message.room, message.id, this.shorten(text));
    });
  }

  /** Reacts with an emoji to the message of the event, or to another message of the room. */
  react(emoji: string, message: Pick<Message, 'id'> | null = this.message): Promise<void> {
    return this.act(async () => {
      this.checkFence();
      if (message !== null) await this.host.react(this.room, message.id, emoji);
    });
  }

  /** Finds the current version of a message of the room, with its reactions; or null. */
  find(message: string): Promise<Message | null> {
    return this.act(() => this.host.findMessage(this.room, message));
  }

  /** Returns whether the author owns the room, which an owner who has left it still does. */
  isAuthorOwner(): Promise<boolean> {
    const { author } = this;
    if (author === null) return Promise.resolve(false);
    return this.act(() => this.host.isOwner(this.room, author.id));
  }

  /** Shortens a text to the maximum length of a message, as all messages of the bot are. */
  shorten(text: string): string {
    return shorten(text, this.host.textChars);
  }

  /** Lists the bots in the room, with their commands. */
  bots(): Promise<RoomBot[]> {
    return this.act(() => this.host.listBots(this.room));
  }

  /** Shows that the bot is typing. */
  typing(): Promise<void> {
    return this.act(async () => {
      this.checkFence();
      await this.host.typing(this.room);
    });
  }

  /** Makes the next matching handler run after this one. */
  next(): void {
    this.passedOn = true;
  }

  /** Ends the run: later actions are refused and reported. */
  fence(reason: Error): void {
    this.fenced = true;
    this.controller.abort(reason);
  }

  /** Stores the changes of the state. */
  async commit(): Promise<void> {
    this.checkFence();
    await this.buffer.flush();
  }

  /** Runs an action; if the handler does not await it, a failure is not an unhandled rejection. */
  private act<T>(work: () => Promise<T>): Promise<T> {
    const action = work();
    action.catch((err: unknown) => this.log.debug('an action of a handler failed', { err }));
    return action;
  }

  private async send(text: string, notice: boolean, replyTo?: string): Promise<Message> {
    this.checkFence();
    const cause = this.message?.id;
    return this.host.send({
      room: this.room,
      text: this.shorten(text),
      cid: `${eventId(this.event)}.${String(++this.sent)}.${this.method}`.slice(0, 64),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(cause === undefined ? {} : { cause }),
      ...(notice ? { notice } : {}),
    });
  }

  private checkFence(): void {
    if (!this.fenced) return;
    const error = new BotFencedError();
    const where = { bot: this.bot.name, handler: this.method, ...locationOf(this.event) };
    this.host.report({ ...where, kind: 'late-effect', error });
    throw error;
  }
}
