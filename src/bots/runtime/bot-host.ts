import type { Message } from '../../protocol/models.js';

/** A message that a bot writes. */
export interface BotMessage {
  readonly room: string;
  readonly text: string;
  /** Makes a handler that runs again for the same event write the same message once (P-6.3). */
  readonly cid: string;
  readonly replyTo?: string;
  /** Message that made the bot write (P-13.5). */
  readonly cause?: string;
  /** A notice triggers no bot (P-13.6). */
  readonly notice?: boolean;
}

/** To whom a piece of state belongs. */
export type StateOwner = { readonly room: string } | { readonly user: string };

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
    'error' | 'timeout' | 'late-effect' | 'loop' | 'rate' | 'denied' | 'resting' | 'slow';
  readonly handler?: string;
  readonly room?: string;
  readonly seq?: number;
  /** Milliseconds that the handler took. */
  readonly ms?: number;
  readonly error?: unknown;
}

/** What a bot's handlers can do to the chat: the server itself, or a client from afar. */
export interface BotHost {
  send(message: BotMessage): Promise<Message>;
  edit(room: string, message: string, text: string): Promise<Message>;
  react(room: string, message: string, emoji: string): Promise<void>;
  typing(room: string): Promise<void>;
  readState(owner: StateOwner, key: string): Promise<unknown>;
  writeState(changes: readonly StateChange[]): Promise<void>;
  report(report: BotReport): void;
}
