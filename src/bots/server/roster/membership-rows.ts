import type { Sql } from '../../../database/sql.js';
import { DEFAULT_SCOPES, type BotScope } from '../../../protocol/bots.js';
import type { User } from '../../../protocol/models.js';
import type { BotAccount } from './bot-account.js';

interface MembershipRow {
  readonly bot: string;
  readonly room: string;
  readonly scopes: string | null;
}

/** Reads the rooms of all bots, with the scopes that they have there. */
export async function listMemberships(
  sql: Sql,
): Promise<{ bot: string; room: string; scopes: readonly BotScope[] }[]> {
  const rows = await sql.all<MembershipRow>(
    `SELECT user_id AS bot, room_id AS room, scopes FROM members
     WHERE user_id IN (SELECT id FROM users WHERE kind = 'bot')`,
  );
  return rows.map(({ scopes, ...row }) => ({ ...row, scopes: scopesOf(scopes) }));
}

/**
 * Reads the bots that PARLANCE_ROOM_BOTS added to rooms, and all bots of the default room.
 */
export async function listBotsOfSetting(
  sql: Sql,
  defaultRoom: string,
): Promise<{ room: string; user: User }[]> {
  const rows = await sql.all<{ room: string; id: string; name: string }>(
    `SELECT m.room_id AS room, u.id, u.name FROM members m JOIN users u ON u.id = m.user_id
     WHERE u.kind = 'bot' AND (m.by_setting OR m.room_id = $1)`,
    defaultRoom,
  );
  return rows.map(({ room, id, name }) => ({ room, user: { id, name, kind: 'bot' } }));
}

/** Returns a check that tells whether a bot has joined or left a room since this call. */
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
