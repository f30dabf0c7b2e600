import type { Message, User } from '../../protocol/models.js';
import type { Address } from './addressing.js';
import { BotAlarms } from './bot-alarms.js';
import type { BotClock } from './bot-clock.js';
import { nameOf, placeOf, type BotEvent } from './bot-event.js';
import type { BotHost, RoomBot } from './bot-host.js';
import { BotLog } from './bot-log.js';
import { StateBuffer, type BotState } from './bot-state.js';
import { shorten } from './shorten.js';

/** What a bot is given to react to. */
export interface BotTrigger {
  readonly event: BotEvent;
  /** The message that the event is about, if it was created. */
  readonly message: Message | null;
  /** Who did it; null for an act of the server. */
  readonly author: User | null;
  readonly address: Address | null;
}

/** A handler whose time was up tried to do something. */
export class BotFencedError extends Error {
  override readonly name = 'BotFencedError';

  constructor() {
    super('The time of this handler is up: what it does now is refused.');
  }
}

/** A handler asked for the state of the author, of whom there is none. */
class NoAuthorError extends Error {
  override readonly name = 'NoAuthorError';

  constructor() {
    super('There is no state.user here, as no user is the author of this event.');
  }
}

/** What a handler adds to a message. */
export interface SayOptions {
  /** A notice triggers no bot (P-13.7). */
  readonly notice?: boolean;
}

/** One run of a handler: what it reacts to, and what it may do. */
export class BotContext {
  /** What a pattern found; null for handlers without one. */
  matches: RegExpExecArray | null = null;
  /** Milliseconds since 1970 at which the time of the handler is up. */
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

  /** Who wrote the message, or did what the event tells; null for the server. */
  get author(): User | null {
    return this.trigger.author;
  }

  /** The text without the mention or the command that it began with. */
  get text(): string {
    return this.trigger.address?.text ?? this.message?.text ?? '';
  }

  /** Aborted when the time of the handler is up; to be passed on to what takes long. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The log of the process, for operators; what people write does not belong there. */
  get log(): BotLog {
    return (this.ownLog ??= new BotLog(this.bot.name, {
      ...placeOf(this.event),
      handler: this.method,
    }));
  }

  /** The time, in milliseconds since 1970. */
  get now(): number {
    return this.clock.now();
  }

  /** Times at which the bot wants to be called in this room. */
  get alarms(): BotAlarms {
    return new BotAlarms(this.buffer.of({ alarms: this.room }));
  }

  /** What the bot keeps for this room, and for the author; there is no user without an author. */
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

  /** Writes a message into the room. */
  say(text: string, { notice = false }: SayOptions = {}): Promise<Message> {
    return this.act(() => this.send(text, notice, undefined));
  }

  /** Writes a message into the room that replies to the message of the event. */
  reply(text: string, { notice = false }: SayOptions = {}): Promise<Message> {
    return this.act(() => this.send(text, notice, this.message?.id));
  }

  /** Changes a message that the bot wrote. */
  edit(message: Message, text: string): Promise<Message> {
    return this.act(async () => {
      this.checkFence();
      return this.host.edit(message.room, message.id, this.shorten(text));
    });
  }

  /** Sets an emoji on the message of the event, or on another one of the room. */
  react(emoji: string, message: Pick<Message, 'id'> | null = this.message): Promise<void> {
    return this.act(async () => {
      this.checkFence();
      if (message !== null) await this.host.react(this.room, message.id, emoji);
    });
  }

  /** Finds a message of the room as it is now, with its reactions; null if there is none. */
  find(message: string): Promise<Message | null> {
    return this.act(() => this.host.findMessage(this.room, message));
  }

  /** Tells whether the author owns the room. */
  isByOwner(): Promise<boolean> {
    const { author } = this;
    if (author === null) return Promise.resolve(false);
    return this.act(() => this.host.isOwner(this.room, author.id));
  }

  /** Gives what of a text has room in a message; what the bot writes is cut to that anyway. */
  shorten(text: string): string {
    return shorten(text, this.host.textChars);
  }

  /** Lists the bots in the room, with their commands. */
  bots(): Promise<RoomBot[]> {
    return this.act(() => this.host.listBots(this.room));
  }

  /** Shows that the bot is writing. */
  typing(): Promise<void> {
    return this.act(async () => {
      this.checkFence();
      await this.host.typing(this.room);
    });
  }

  /** Has the next handler that fits called after this one. */
  next(): void {
    this.passedOn = true;
  }

  /** Ends the run: what comes later is refused and reported. */
  fence(reason: Error): void {
    this.fenced = true;
    this.controller.abort(reason);
  }

  /** Stores what the handler changed in the state. */
  async commit(): Promise<void> {
    this.checkFence();
    await this.buffer.flush();
  }

  /** Does something that a handler need not wait for: who waits learns of a failure, nobody must. */
  private act<T>(work: () => Promise<T>): Promise<T> {
    const acting = work();
    acting.catch((err: unknown) => this.log.debug('something that a handler did failed', { err }));
    return acting;
  }

  private async send(text: string, notice: boolean, replyTo?: string): Promise<Message> {
    this.checkFence();
    const cause = this.message?.id;
    return this.host.send({
      room: this.room,
      text: this.shorten(text),
      cid: `${nameOf(this.event)}.${String(++this.sent)}.${this.method}`.slice(0, 64),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(cause === undefined ? {} : { cause }),
      ...(notice ? { notice } : {}),
    });
  }

  private checkFence(): void {
    if (!this.fenced) return;
    const error = new BotFencedError();
    const where = { bot: this.bot.name, handler: this.method, ...placeOf(this.event) };
    this.host.report({ ...where, kind: 'late-effect', error });
    throw error;
  }
}
