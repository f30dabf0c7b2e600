import type { BotScope } from '../protocol/bots.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message } from '../protocol/models.js';
import type { BotAccount } from './bot-account.js';
import { MAX_HOPS } from './loop-guard.js';
import { mayAddress } from './runtime/addressing.js';
import { authorOf, isDirect } from './runtime/bot-event.js';
import { scopeOfEvent } from './runtime/bot-manifest.js';

/** Tells, without looking anything up, whether a bot may be given an event (P-13.2, P-13.7). */
export function maySee(bot: BotAccount, event: LogEvent): boolean {
  const scopes = bot.rooms.get(event.data.room);
  if (scopes === undefined || isBy(bot, event)) return false;
  // A commit may carry what was said before the bot came.
  if (event.data.seq < (bot.changedAt.get(event.data.room) ?? 0)) return false;
  if (event.event === 'message.created') return maySeeMessage(bot, event.data.message, scopes);
  const needed = scopeOfEvent(event.event);
  return (needed === null || scopes.has(needed)) && bot.mayWant(event.event, false);
}

function maySeeMessage(bot: BotAccount, message: Message, scopes: ReadonlySet<BotScope>): boolean {
  const { kind, hops = 0, sender, room } = message;
  if (kind === 'notice' || hops >= MAX_HOPS) return false;
  if (!bot.mayWant('message.created', sender.kind === 'bot')) return false;
  if (scopes.has('messages:read')) return true;
  return scopes.has('messages:addressed') && (isDirect(room) || mayAddress(message));
}

/** A bot never gets what it did itself. */
function isBy({ actor }: BotAccount, event: LogEvent): boolean {
  const author = authorOf(event);
  return (typeof author === 'string' ? author : author?.id) === actor.id;
}
