import type { BotScope } from '../../../protocol/bots.js';
import type { BotAccount, BotMembership } from './bot-account.js';

/** The memberships of all bots, by room. */
export class BotMemberships {
  private readonly byRoom = new Map<string, Map<BotAccount, BotMembership>>();

  /** Returns the memberships in a room, in order of joining; undefined if there are none. */
  inRoom(room: string): Iterable<BotMembership> | undefined {
    return this.byRoom.get(room)?.values();
  }

  /** Returns the bots in a room, in order of joining. */
  botsIn(room: string): BotAccount[] {
    return [...(this.byRoom.get(room)?.keys() ?? [])];
  }

  /** Adds a bot to a room, or replaces its scopes there. */
  set(bot: BotAccount, room: string, scopes: readonly BotScope[]): void {
    const since = bot.changedAt.get(room) ?? 0;
    const readsAll = scopes.includes('messages:read');
    const membership = { bot, room, scopes: new Set(scopes), readsAll, since };
    bot.rooms.set(room, membership);
    const memberships = this.byRoom.get(room) ?? new Map<BotAccount, BotMembership>();
    this.byRoom.set(room, memberships.set(bot, membership));
  }

  /** Removes a bot from a room. */
  delete(bot: BotAccount, room: string): void {
    bot.rooms.delete(room);
    const memberships = this.byRoom.get(room);
    memberships?.delete(bot);
    if (memberships?.size === 0) this.byRoom.delete(room);
  }
}
