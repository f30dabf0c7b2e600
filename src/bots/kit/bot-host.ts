import type { Message } from '../../protocol/models.js';

/** A message that a bot writes. */
export interface BotMessage {
  readonly room: string;
  readonly text: string;
  /** Makes the message idempotent if the handler runs again for the same event (P-6.3). */
  readonly cid: string;
  readonly replyTo?: string;
  /** Id of the message that the bot reacts to (P-13.2). */
  readonly cause?: string;
  /** A notice triggers no bot (P-13.7). */
  readonly notice?: boolean;
}

/** The owner of a piece of state; the alarms of a room are separate. */
export type StateOwner =
  { readonly room: string } | { readonly user: string } | { readonly alarms: string };

/** A key of the state and its value. */
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

/** One change of the state; an undefined value deletes the key. */
export interface StateChange {
  readonly owner: StateOwner;
  readonly key: string;
  readonly value: unknown;
}

/** A failure of a bot, or an action that was refused. */
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
  /** Duration of the handler in milliseconds. */
  readonly ms?: number;
  readonly error?: unknown;
}

/** Runs the actions of a bot, inside the server or over a connection. */
export interface BotHost {
  /** Maximum length of a message in code points (P-9.3). */
  readonly textChars: number;
  send(message: BotMessage): Promise<Message>;
  edit(room: string, message: string, text: string): Promise<Message>;
  react(room: string, message: string, emoji: string): Promise<void>;
  typing(room: string): Promise<void>;
  /** Finds the current version of a message of the room. */
  findMessage(room: string, message: string): Promise<Message | null>;
  /** Returns whether a user owns the room. */
  isOwner(room: string, user: string): Promise<boolean>;
  /** Lists the bots in the room, sorted by name. */
  listBots(room: string): Promise<RoomBot[]>;
  readState(owner: StateOwner, key: string): Promise<unknown>;
  listState(owner: StateOwner): Promise<StateEntry[]>;
  writeState(changes: readonly StateChange[]): Promise<void>;
  report(report: BotReport): void;
}
