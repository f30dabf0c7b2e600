import { Inject, Injectable } from '@nestjs/common';

import type { Call } from '../chat/call.js';
import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { Sql } from '../database/sql.js';
import type { StateEntry, StateOwner } from '../protocol/bots.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { takeBytes } from '../rooms/room-replay.js';
import { requireMember } from '../rooms/room-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotStates } from './bot-states.service.js';

const PAGE = 100;

/** What bots from afar keep on the server (P-13.11, P-13.12). */
@Injectable()
export class RemoteBotStates {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(BotStates) private readonly states: BotStates,
    @Inject(BotAlarmClock) private readonly alarms: BotAlarmClock,
  ) {}

  /**
   * Reads a page of what the caller keeps, or one value.
   *
   * @throws ProtocolError `forbidden`, `not_found`, `not_member`
   */
  async load({ actor }: Call, data: CommandData<'bot.load'>): Promise<ReplyData<'bot.load'>> {
    requireBot(actor.kind);
    const { owner, key, after = '', limit = PAGE } = data;
    const entries = await this.reader.snapshot(async ({ sql }): Promise<StateEntry[]> => {
      await requirePlace(sql, actor.id, owner);
      if (key === undefined) return this.states.page(sql, actor.id, owner, after, limit + 1);
      const entry = await this.states.find(sql, actor.id, owner, key);
      return entry === null ? [] : [entry];
    });
    const page = takeBytes(entries.slice(0, limit), this.config.limits.pageBytes);
    return { entries: [...page], hasMore: page.length < entries.length };
  }

  /**
   * Carries out changes of what the caller keeps, all or none.
   *
   * @throws ProtocolError `forbidden`, `not_found`, `not_member`, `invalid`, `limit_reached`
   */
  async store(
    { actor, placed }: Call,
    { changes }: CommandData<'bot.store'>,
  ): Promise<ReplyData<'bot.store'>> {
    requireBot(actor.kind);
    const asChanges = changes.map(({ owner, key, value }) => ({ owner, key, value }));
    const owners = new Map(changes.map(({ owner }) => [JSON.stringify(owner), owner]));
    const check = async ({ sql }: { sql: Sql }) => {
      for (const owner of owners.values()) {
        await requirePlace(sql, actor.id, owner);
        if ('user' in owner) await requireUser(sql, owner.user);
      }
    };
    await this.states.write(actor.id, asChanges, { check, placed });
    this.alarms.changed(actor.id, asChanges);
    return {};
  }
}

function requireBot(kind: string): void {
  if (kind !== 'bot') throw new ProtocolError('forbidden');
}

/** What is kept for a room is there for a bot that is in it. */
async function requirePlace(sql: Sql, botId: string, owner: StateOwner): Promise<void> {
  if ('user' in owner) return;
  const room = 'room' in owner ? owner.room : owner.alarms;
  refuseOwnLog(room);
  await requireMember(sql, room, botId);
}

/** Users that nobody knows would be owners without number. */
async function requireUser(sql: Sql, user: string): Promise<void> {
  if ((await sql.get('SELECT id FROM users WHERE id = ?', user)) !== undefined) return;
  throw new ProtocolError('not_found', { message: 'There is no such user.' });
}
