import type { Sql } from '../database/sql.js';
import { DEFAULT_SCOPES, type BotScope } from '../protocol/bots.js';
import type { BotAccount } from './bot-account.js';

interface MembershipRow {
  readonly bot: string;
  readonly room: string;
  readonly scopes: string | null;
}

/** Lists the rooms that bots are in, and what each may do there. */
export async function listMemberships(
  sql: Sql,
): Promise<{ bot: string; room: string; scopes: readonly BotScope[] }[]> {
  const rows = await sql.all<MembershipRow>(
    `SELECT user_id AS bot, room_id AS room, scopes FROM members
     WHERE user_id IN (SELECT id FROM users WHERE kind = 'bot')`,
  );
  return rows.map(({ scopes, ...row }) => ({ ...row, scopes: scopesOf(scopes) }));
}

/** Gives what tells whether a bot came into a room, or left it, since. */
export function watchRooms(
  bots: readonly BotAccount[],
): (bot: BotAccount, room: string) => boolean {
  const before = new Map(
    bots.map((bot) => [bot, [new Map(bot.rooms), new Map(bot.changedAt)] as const]),
  );
  return (bot, room) => {
    const [rooms, changedAt] = before.get(bot) ?? [];
    if (rooms?.get(room) !== bot.rooms.get(room)) return true;
    return changedAt?.get(room) !== bot.changedAt.get(room);
  };
}

function scopesOf(stored: string | null): readonly BotScope[] {
  return stored === null ? DEFAULT_SCOPES : (stored.split(' ').filter(Boolean) as BotScope[]);
}
