import type { LogEvent } from '../protocol/events.js';
import type { User } from '../protocol/models.js';
import type { BotAccount } from './bot-account.js';
import { MAX_HOPS } from './loop-guard.js';
import { mayAddress } from './runtime/addressing.js';
import { scopeOfEvent } from './runtime/bot-manifest.js';
import { mayWant } from './runtime/bot-runner.js';

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
export function maySee({ actor, definition, rooms }: BotAccount, event: LogEvent): boolean {
  const scopes = rooms.get(event.data.room);
  if (scopes === undefined) return false;
  const author = authorOf(event);
  const authorId = typeof author === 'string' ? author : author?.id;
  if (authorId === actor.id) return false;
  if (event.event !== 'message.created') {
    const needed = scopeOfEvent(event.event);
    if (needed !== null && !scopes.has(needed)) return false;
    return mayWant(definition, event.event, false);
  }
  const { kind, hops = 0, sender, room } = event.data.message;
  if (kind === 'notice' || hops >= MAX_HOPS) return false;
  if (!mayWant(definition, event.event, sender.kind === 'bot')) return false;
  if (scopes.has('messages:read') || isDirect(room)) return true;
  return scopes.has('messages:addressed') && mayAddress(event.data.message);
}
