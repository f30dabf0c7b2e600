import type { Message } from '../../protocol/models.js';

/** A message that a bot writes. */
export interface BotMessage {
  readonly room: string;
  readonly text: string;
  /** Makes a handler that runs again for the same event write the same message once (P-6.3). */
  readonly cid: string;
  readonly replyTo?: string;
  /** Message that made the bot write (P-13.2). */
  readonly cause?: string;
  /** A notice triggers no bot (P-13.7). */
  readonly notice?: boolean;
}

/** To whom a piece of state belongs; the alarms of a room are kept apart. */
export type StateOwner =
  { readonly room: string } | { readonly user: string } | { readonly alarms: string };

/** A piece of state. */
export interface StateEntry<T = unknown> {
  readonly key: string;
  readonly value: T;
}

/** A bot in a room, as `/help` shows it. */
export interface RoomBot {
  readonly name: string;
  readonly about: string;
  readonly commands: readonly {
    readonly name: string;
    readonly help: string;
    readonly args: readonly string[];
  }[];
}

/** One change of a bot's state; a value of undefined removes it. */
export interface StateChange {
  readonly owner: StateOwner;
  readonly key: string;
  readonly value: unknown;
}

/** What went wrong, or what was held back, at a bot. */
export interface BotReport {
  readonly bot: string;
  readonly kind:
    | 'error'
    | 'timeout'
    | 'late-effect'
    | 'loop'
    | 'rate'
    | 'denied'
    | 'resting'
    | 'slow'
    | 'stopped';
  readonly handler?: string;
  readonly room?: string;
  readonly seq?: number;
  /** Milliseconds that the handler took. */
  readonly ms?: number;
  readonly error?: unknown;
}

/** What a bot's handlers can do to the chat: the server itself, or a client from afar. */
export interface BotHost {
  /** Code points that a message has at most (P-9.3). */
  readonly textChars: number;
  send(message: BotMessage): Promise<Message>;
  edit(room: string, message: string, text: string): Promise<Message>;
  react(room: string, message: string, emoji: string): Promise<void>;
  typing(room: string): Promise<void>;
  /** Finds a message of the room as it is now. */
  findMessage(room: string, message: string): Promise<Message | null>;
  /** Tells whether a user owns the room. */
  isOwner(room: string, user: string): Promise<boolean>;
  /** Lists the bots in the room, by name. */
  listBots(room: string): Promise<RoomBot[]>;
  readState(owner: StateOwner, key: string): Promise<unknown>;
  listState(owner: StateOwner): Promise<StateEntry[]>;
  writeState(changes: readonly StateChange[]): Promise<void>;
  report(report: BotReport): void;
}
