import type { z } from 'zod';

import { BotLine, BotName, BotScope, DEFAULT_SCOPES } from '../../protocol/bots.js';
import type { LogEventName } from '../../protocol/events.js';

/** Options of `@ChatBot`. */
export interface BotOptions {
  /** 1 to 32 characters of a–z, 0–9 and "-"; people write `@name`. */
  readonly name: string;
  /** One line for `/help`. */
  readonly about?: string;
  readonly scopes?: readonly BotScope[];
  /** Timeout of a handler in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number;
}

/** An event other than a message that a handler can be called for. */
export type RoomEventName = Exclude<LogEventName, 'message.created'>;

/** A pattern for texts: a `RegExp`, or one that matches in linear time. */
export type TextPattern = Pick<RegExp, 'exec' | 'source' | 'global' | 'sticky'>;

/** Options of the decorators of handlers. */
export type HandlerOptions =
  | {
      readonly on: 'command';
      readonly name: string;
      /** One line that shows how to use the command, or what it does. */
      readonly help: string;
      /**
       * Schema of the arguments. An object receives words in the order of its fields, and its last
       * string field the rest of the line; an array receives all words; anything else the text.
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

/** A handler of a bot. */
export interface BotHandler {
  /** Name of the method, for reports. */
  readonly method: string;
  readonly options: HandlerOptions;
  readonly call: (context: unknown, args: unknown) => Promise<unknown>;
}

/** A bot and its handlers. */
export interface BotDefinition {
  readonly name: string;
  readonly about: string;
  readonly scopes: ReadonlySet<BotScope>;
  readonly timeoutMs: number;
  readonly handlers: readonly BotHandler[];
}

/** Thrown for an invalid bot; the message says which one, and how to fix it. */
export class BotSetupError extends Error {
  override readonly name = 'BotSetupError';
}

const TIMEOUT_MS = 10_000;
const ONE_LINE = 'must be one line of 1 to 256 characters';

/** Names that no bot may have, because people use them in other ways. */
export const RESERVED_BOT_NAMES: ReadonlySet<string> = new Set([
  'all',
  'everyone',
  'here',
  'me',
  'server',
  'system',
]);

/**
 * Builds a bot from the options of its decorators.
 *
 * @throws BotSetupError for an invalid name, scope or handler
 */
export function defineBot(options: BotOptions, handlers: readonly BotHandler[]): BotDefinition {
  const { name, about = '', scopes = DEFAULT_SCOPES, timeoutMs = TIMEOUT_MS } = options;
  if (!BotName.safeParse(name).success || RESERVED_BOT_NAMES.has(name)) {
    throw new BotSetupError(
      `The bot name ${JSON.stringify(name)} cannot be used: use 1 to 32 of a-z, 0-9 and "-", ` +
        `but none of ${[...RESERVED_BOT_NAMES].join(', ')}.`,
    );
  }
  const bot = { name, about, scopes: new Set(scopes), timeoutMs, handlers };
  if (handlers.length === 0) {
    throw new BotSetupError(
      `The bot ${name} has no handler: decorate a method with @OnCommand(…).`,
    );
  }
  checkTexts(bot);
  for (const handler of handlers) checkHandler(bot, handler);
  return bot;
}

function checkTexts({ name, about, scopes }: BotDefinition): void {
  if (!BotLine.safeParse(about).success) {
    throw new BotSetupError(`The bot ${name} has an invalid about text: it ${ONE_LINE}.`);
  }
  for (const scope of scopes) {
    if (BotScope.safeParse(scope).success) continue;
    throw new BotSetupError(`The bot ${name} asks for ${scope}, which is not a scope.`);
  }
}

function checkHandler(bot: BotDefinition, { method, options }: BotHandler): void {
  const where = `The handler ${method} of the bot ${bot.name}`;
  const needed = neededScope(options);
  if (needed !== null && !bot.scopes.has(needed)) {
    throw new BotSetupError(`${where} would never be called: add ${needed} to the bot's scopes.`);
  }
  if (options.on === 'text' && (options.pattern.global || options.pattern.sticky)) {
    throw new BotSetupError(`${where} has a pattern with the flag g or y: remove the flag.`);
  }
  if (options.on === 'command' && !BotName.safeParse(options.name).success) {
    throw new BotSetupError(`${where} has an invalid command name: use a-z, 0-9 and "-".`);
  }
  if (options.on === 'command' && !BotLine.min(1).safeParse(options.help).success) {
    throw new BotSetupError(`${where} has an invalid help text: it ${ONE_LINE}.`);
  }
}

function neededScope(options: HandlerOptions): BotScope | null {
  if (options.on === 'text') return options.when === 'all' ? 'messages:read' : null;
  return options.on === 'event' ? scopeOfEvent(options.event) : null;
}

/** Returns the scope that a bot needs to see an event; null if it needs none (P-13.3). */
export function scopeOfEvent(event: LogEventName): BotScope | null {
  if (event.startsWith('member.') || event === 'user.updated') return 'members:read';
  if (event.startsWith('reaction.')) return 'reactions:read';
  return event.startsWith('message.') ? 'messages:read' : null;
}
