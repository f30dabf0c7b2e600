import { Inject, Injectable } from '@nestjs/common';

import type { Call } from '../../../chat/connections/call.js';
import { CONFIG, type Config } from '../../../config/config.js';
import { Reader } from '../../../database/reader.js';
import type { Sql } from '../../../database/sql.js';
import type { StateEntry, StateOwner } from '../../../protocol/bots.js';
import type { CommandData, ReplyData } from '../../../protocol/commands.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { limitBytes } from '../../../rooms/room-replay.js';
import { refuseOwnLog, requireAccess } from '../../../rooms/policy.js';
import { BotAlarmClock } from '../state/bot-alarm-clock.js';
import { BotStates } from '../state/bot-states.js';

const PAGE = 100;

/** Loads and stores the state of remote bots (P-13.11, P-13.12). */
@Injectable()
export class RemoteBotStates {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly states: BotStates,
    private readonly alarms: BotAlarmClock,
  ) {}

  /**
   * Reads a page of the state of the caller, or one value.
   *
   * @throws ProtocolError `forbidden`, `not_found`, `not_member`
   */
  async load({ actor }: Call, data: CommandData<'bot.load'>): Promise<ReplyData<'bot.load'>> {
    requireBot(actor.kind);
    const { owner, key, after = '', limit = PAGE } = data;
    const entries = await this.reader.snapshot(async ({ sql }): Promise<StateEntry[]> => {
      await requireMembership(sql, actor.id, owner);
      if (key === undefined) return this.states.page(sql, actor.id, owner, after, limit + 1);
      const entry = await this.states.find(sql, actor.id, owner, key);
      return entry === null ? [] : [entry];
    });
    const page = limitBytes(entries.slice(0, limit), this.config.limits.pageBytes);
    return { entries: [...page], hasMore: page.length < entries.length };
  }

  /**
   * Applies changes to the state of the caller, all or none.
   *
   * @throws ProtocolError `forbidden`, `not_found`, `not_member`, `invalid`, `limit_reached`
   */
  async store(
    { actor, onQueued }: Call,
    { changes }: CommandData<'bot.store'>,
  ): Promise<ReplyData<'bot.store'>> {
    requireBot(actor.kind);
    const asChanges = changes.map(({ owner, key, value }) => ({ owner, key, value }));
    const owners = new Map(changes.map(({ owner }) => [JSON.stringify(owner), owner]));
    const check = async ({ sql }: { sql: Sql }) => {
      for (const owner of owners.values()) {
        await requireMembership(sql, actor.id, owner);
        if ('user' in owner) await requireUser(sql, owner.user);
      }
    };
    await this.states.write(actor.id, asChanges, { check, onQueued });
    this.alarms.apply(actor.id, asChanges);
    return {};
  }
}

function requireBot(kind: string): void {
  if (kind !== 'bot') throw new ProtocolError('forbidden');
}

/** Checks that the bot is in the room of the state. */
async function requireMembership(sql: Sql, botId: string, owner: StateOwner): Promise<void> {
  if ('user' in owner) return;
  const room = 'room' in owner ? owner.room : owner.alarms;
  refuseOwnLog(room);
  await requireAccess(sql, 'read', room, botId);
}

/** Checks that the user exists, so that the number of owners is bounded. */
async function requireUser(sql: Sql, user: string): Promise<void> {
  if ((await sql.get('SELECT id FROM users WHERE id = $1', user)) !== undefined) return;
  throw new ProtocolError('not_found', { message: 'There is no such user.' });
}
