import type { z } from 'zod';

import { BotName, BotScope, DEFAULT_SCOPES } from '../../protocol/bots.js';
import type { LogEventName } from '../../protocol/events.js';

/** What the decorator of a bot says of it. */
export interface BotOptions {
  /** 1 to 32 of a–z, 0–9 and "-"; people write `@name`. */
  readonly name: string;
  /** One line for `/help`. */
  readonly about?: string;
  readonly scopes?: readonly BotScope[];
  /** Milliseconds that a handler may take; 10,000 by default. */
  readonly timeoutMs?: number;
}

/** Which events a handler asks for, besides messages. */
export type RoomEventName = Exclude<LogEventName, 'message.created'>;

/** What finds something in a text: a `RegExp`, or one that takes linear time. */
export type TextPattern = Pick<RegExp, 'exec' | 'source' | 'global' | 'sticky'>;

/** What the decorator of a method says of it. */
export type HandlerOptions =
  | {
      readonly on: 'command';
      readonly name: string;
      /** One line: how it is used, or what it does. */
      readonly help: string;
      /**
       * Schema of the arguments. An object gets words by the order of its fields, its last text
       * the rest of the line; an array gets all words; anything else gets the text.
       */
      readonly args?: z.ZodType;
      readonly fromBots?: boolean;
    }
  | {
      readonly on: 'text';
      readonly pattern: TextPattern;
      readonly when?: 'addressed' | 'all';
      readonly fromBots?: boolean;
    }
  | { readonly on: 'event'; readonly event: RoomEventName; readonly fromBots?: boolean }
  | { readonly on: 'alarm'; readonly fromBots?: boolean }
  | { readonly on: 'fallback'; readonly fromBots?: boolean };

/** A handler of a bot, ready to be called. */
export interface BotHandler {
  /** Name of the method, for reports. */
  readonly method: string;
  readonly options: HandlerOptions;
  readonly call: (context: unknown, args: unknown) => Promise<unknown>;
}

/** A bot, ready to be given events. */
export interface BotDefinition {
  readonly name: string;
  readonly about: string;
  readonly scopes: ReadonlySet<BotScope>;
  readonly timeoutMs: number;
  readonly handlers: readonly BotHandler[];
}

/** A bot cannot be used; the message says of which, and what to write instead. */
export class BotSetupError extends Error {
  override readonly name = 'BotSetupError';
}

const TIMEOUT_MS = 10_000;

/** Names that no bot may have: people write them for something else. */
export const RESERVED_BOT_NAMES: ReadonlySet<string> = new Set([
  'all',
  'everyone',
  'here',
  'me',
  'server',
  'system',
]);

/**
 * Puts together what the decorators say of a bot.
 *
 * @throws BotSetupError for a name, scope or handler that could never work
 */
export function defineBot(options: BotOptions, handlers: readonly BotHandler[]): BotDefinition {
  const { name, about = '', scopes = DEFAULT_SCOPES, timeoutMs = TIMEOUT_MS } = options;
  if (!BotName.safeParse(name).success || RESERVED_BOT_NAMES.has(name)) {
    throw new BotSetupError(
      `The bot name ${JSON.stringify(name)} cannot be used: take 1 to 32 of a-z, 0-9 and "-", ` +
        `and none of ${[...RESERVED_BOT_NAMES].join(', ')}.`,
    );
  }
  const bot = { name, about, scopes: new Set(scopes), timeoutMs, handlers };
  if (handlers.length === 0) {
    throw new BotSetupError(`The bot ${name} has no handler: mark a method with @OnCommand(…).`);
  }
  for (const scope of scopes) {
    if (!BotScope.safeParse(scope).success) {
      throw new BotSetupError(`The bot ${name} asks for ${scope}, which is no scope.`);
    }
  }
  for (const handler of handlers) checkHandler(bot, handler);
  return bot;
}

function checkHandler(bot: BotDefinition, { method, options }: BotHandler): void {
  const where = `The handler ${method} of the bot ${bot.name}`;
  const needed = neededScope(options);
  if (needed !== null && !bot.scopes.has(needed)) {
    throw new BotSetupError(`${where} would never be called: add ${needed} to the bot's scopes.`);
  }
  if (options.on === 'text' && (options.pattern.global || options.pattern.sticky)) {
    throw new BotSetupError(`${where} has a pattern with the flag g or y: leave the flag out.`);
  }
  if (options.on === 'command' && !BotName.safeParse(options.name).success) {
    throw new BotSetupError(`${where} has a command name other than a-z, 0-9 and "-".`);
  }
}

function neededScope(options: HandlerOptions): BotScope | null {
  if (options.on === 'text') return options.when === 'all' ? 'messages:read' : null;
  return options.on === 'event' ? scopeOfEvent(options.event) : null;
}

/** Gives the scope without which a bot does not see an event; null if none is needed (P-13.3). */
export function scopeOfEvent(event: LogEventName): BotScope | null {
  if (event.startsWith('member.') || event === 'user.updated') return 'members:read';
  if (event.startsWith('reaction.')) return 'reactions:read';
  return event.startsWith('message.') ? 'messages:read' : null;
}
