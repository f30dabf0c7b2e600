import type { BotTrigger } from './bot-context.js';
import type { BotEvent } from './bot-event.js';
import type { BotDefinition, BotHandler, HandlerOptions } from './bot-manifest.js';

/** What there is to tell whether a handler is called. */
export type Occasion = Pick<BotTrigger, 'event' | 'message' | 'author' | 'address'>;

/** That a handler is for an event, and what its pattern found. */
export interface Fit {
  readonly matches: RegExpExecArray | null;
}

const FITS: Fit = { matches: null };

/** Tells whether a handler is for an event, and what its pattern found; null if it is not. */
export function match(
  { options }: BotHandler,
  occasion: Occasion,
  hasMatched: boolean,
): Fit | null {
  if (occasion.author?.kind === 'bot' && options.fromBots !== true) return null;
  return fit(options, occasion, hasMatched);
}

function fit(options: HandlerOptions, occasion: Occasion, hasMatched: boolean): Fit | null {
  const { event, address } = occasion;
  switch (options.on) {
    case 'event':
      return event.event === options.event ? FITS : null;
    case 'alarm':
      return event.event === 'alarm.due' ? FITS : null;
    case 'command':
      return address?.command === options.name ? FITS : null;
    case 'fallback':
      return !hasMatched && address !== null ? FITS : null;
    case 'text':
      return search(options, occasion);
  }
}

/** Tells whether some handler of a bot would be called. */
export function matchesSome(bot: BotDefinition, occasion: Occasion): boolean {
  return bot.handlers.some((handler) => match(handler, occasion, false) !== null);
}

/** Names the events that handlers of a bot want; with `fromBots`, also if a bot is the author. */
export function wantedEvents(
  { handlers }: BotDefinition,
  fromBots = false,
): ReadonlySet<BotEvent['event']> {
  const asking = handlers.filter(({ options }) => !fromBots || options.fromBots === true);
  return new Set(asking.map(({ options }) => eventOf(options)));
}

function eventOf(options: HandlerOptions): BotEvent['event'] {
  if (options.on === 'event') return options.event;
  return options.on === 'alarm' ? 'alarm.due' : 'message.created';
}

function search(
  options: Extract<HandlerOptions, { on: 'text' }>,
  { message, address }: Occasion,
): Fit | null {
  if (message === null || !hears(options, address)) return null;
  const matches = options.pattern.exec(address?.text ?? message.text);
  return matches === null ? null : { matches };
}

/** Whether a pattern is tried at all: a command is no text for patterns of what is addressed. */
function hears(
  { when }: Extract<HandlerOptions, { on: 'text' }>,
  address: Occasion['address'],
): boolean {
  return when === 'all' || (address !== null && address.command === null);
}
