import type { BotTrigger } from './bot-context.js';
import type { BotDefinition, BotHandler, HandlerOptions } from './bot-definition.js';
import type { BotEvent } from './bot-event.js';

/** The input that decides whether a handler is called. */
export type HandlerInput = Pick<BotTrigger, 'event' | 'message' | 'author' | 'address'>;

/** The result of matching a handler against an event. */
export interface HandlerMatch {
  /** The result of the pattern; null for handlers without a pattern. */
  readonly matches: RegExpExecArray | null;
}

const MATCH: HandlerMatch = { matches: null };

/** Matches a handler against an event; returns null if the handler is not called. */
export function match(
  { options }: BotHandler,
  input: HandlerInput,
  hasMatched: boolean,
): HandlerMatch | null {
  if (input.author?.kind === 'bot' && options.fromBots !== true) return null;
  return matchOptions(options, input, hasMatched);
}

function matchOptions(
  options: HandlerOptions,
  input: HandlerInput,
  hasMatched: boolean,
): HandlerMatch | null {
  const { event, address } = input;
  switch (options.on) {
    case 'event':
      return event.event === options.event ? MATCH : null;
    case 'alarm':
      return event.event === 'alarm.due' ? MATCH : null;
    case 'command':
      return address?.command === options.name ? MATCH : null;
    case 'fallback':
      return !hasMatched && address !== null ? MATCH : null;
    case 'text':
      return matchText(options, input);
  }
}

/** Returns whether any handler of a bot would be called. */
export function matchesAny(bot: BotDefinition, input: HandlerInput): boolean {
  return bot.handlers.some((handler) => match(handler, input, false) !== null);
}

/** Returns the events that a bot has handlers for; with `fromBots`, those it wants from bots. */
export function handledEvents(
  { handlers }: BotDefinition,
  fromBots = false,
): ReadonlySet<BotEvent['event']> {
  const wanted = handlers.filter(({ options }) => !fromBots || options.fromBots === true);
  return new Set(wanted.map(({ options }) => eventOf(options)));
}

function eventOf(options: HandlerOptions): BotEvent['event'] {
  if (options.on === 'event') return options.event;
  return options.on === 'alarm' ? 'alarm.due' : 'message.created';
}

function matchText(
  { pattern, when }: Extract<HandlerOptions, { on: 'text' }>,
  { message, address }: HandlerInput,
): HandlerMatch | null {
  if (message === null) return null;
  // Patterns for addressed texts do not match commands.
  const isTried = when === 'all' || (address !== null && address.command === null);
  const matches = isTried ? pattern.exec(address?.text ?? message.text) : null;
  return matches === null ? null : { matches };
}
