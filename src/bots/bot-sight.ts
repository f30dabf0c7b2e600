import type { BotScope } from '../protocol/bots.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message, User } from '../protocol/models.js';
import type { BotAccount } from './bot-account.js';
import { MAX_HOPS } from './loop-guard.js';
import { mayAddress } from './runtime/addressing.js';
import { scopeOfEvent } from './runtime/bot-manifest.js';

/** Tells whether a room is between two users, where everything is addressed to the other. */
export function isDirect(room: string): boolean {
  return room.startsWith('@');
}

/** Gives who did what an event tells, as a user or as an id; null for the server. */
export function authorOf({ event, data }: LogEvent): User | string | null {
  switch (event) {
    case 'message.created':
    case 'message.edited':
      return data.message.sender;
    case 'message.deleted':
      return data.message.deletedBy ?? null;
    case 'member.joined':
      return data.member.user;
    case 'member.left':
    case 'user.updated':
    case 'reaction.added':
    case 'reaction.removed':
      return data.user;
    case 'room.created':
    case 'room.updated':
      return data.info.owner;
  }
}

/** Tells, without looking anything up, whether a bot may be given an event (P-13.2, P-13.7). */
export function maySee(bot: BotAccount, event: LogEvent): boolean {
  const scopes = bot.rooms.get(event.data.room);
  if (scopes === undefined || isBy(bot, event)) return false;
  if (event.event === 'message.created') return maySeeMessage(bot, event.data.message, scopes);
  const needed = scopeOfEvent(event.event);
  return (needed === null || scopes.has(needed)) && bot.mayWant(event.event, false);
}

function maySeeMessage(bot: BotAccount, message: Message, scopes: ReadonlySet<BotScope>): boolean {
  const { kind, hops = 0, sender, room } = message;
  if (kind === 'notice' || hops >= MAX_HOPS) return false;
  if (!bot.mayWant('message.created', sender.kind === 'bot')) return false;
  if (scopes.has('messages:read') || isDirect(room)) return true;
  return scopes.has('messages:addressed') && mayAddress(message);
}

/** A bot never gets what it did itself. */
function isBy({ actor }: BotAccount, event: LogEvent): boolean {
  const author = authorOf(event);
  return (typeof author === 'string' ? author : author?.id) === actor.id;
}
