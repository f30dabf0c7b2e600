import type { BotScope } from '../protocol/bots.js';
import type { BotAccount } from './bot-account.js';

/** A bot in a room; another one takes its place when the scopes change. */
export interface BotSeat {
  readonly bot: BotAccount;
  readonly room: string;
  readonly scopes: ReadonlySet<BotScope>;
  /** Whether it has the scope to read all messages. */
  readonly reads: boolean;
  /** Where in the log of the room the bot came; 0 if this process has not seen it. */
  readonly since: number;
}

/** The bots in each room. */
export class BotSeats {
  private readonly byRoom = new Map<string, Map<BotAccount, BotSeat>>();

  /** Gives what is in a room, if something is; in the order in which the bots came. */
  in(room: string): Iterable<BotSeat> | undefined {
    return this.byRoom.get(room)?.values();
  }

  /** Gives the bots in a room. */
  botsIn(room: string): BotAccount[] {
    return [...(this.byRoom.get(room)?.keys() ?? [])];
  }

  /** Gives a bot its place in a room. */
  take(bot: BotAccount, room: string, scopes: readonly BotScope[]): void {
    const since = bot.changedAt.get(room) ?? 0;
    const reads = scopes.includes('messages:read');
    const seat = { bot, room, scopes: new Set(scopes), reads, since };
    bot.rooms.set(room, seat);
    const seats = this.byRoom.get(room) ?? new Map<BotAccount, BotSeat>();
    this.byRoom.set(room, seats.set(bot, seat));
  }

  /** Takes the place of a bot in a room away. */
  leave(bot: BotAccount, room: string): void {
    bot.rooms.delete(room);
    const seats = this.byRoom.get(room);
    seats?.delete(bot);
    if (seats?.size === 0) this.byRoom.delete(room);
  }
}
