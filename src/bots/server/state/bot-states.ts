import { Inject, Injectable } from '@nestjs/common';
import { Like } from 'typeorm';

import { CONFIG, type Config } from '../../../config/config.js';
import { Lease, type Fence } from '../../../database/lease.js';
import { Reader } from '../../../database/reader.js';
import type { Sql } from '../../../database/sql.js';
import type { WriteTransaction } from '../../../database/write-job.js';
import { Writer } from '../../../database/writer.js';
import { Alarm, AlarmKey, MAX_STATE_CHANGES, StateKey } from '../../../protocol/bots.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { ownLog } from '../../../store/actor.js';
import { BotStateEntity } from '../../../store/bot-state.entity.js';
import type { AlarmEvent } from '../../kit/bot-event.js';
import type { StateChange, StateEntry, StateOwner } from '../../kit/bot-host.js';

const ALARMS = 'alarms:';

interface StateColumns {
  key: string;
  value: string;
}

/** A change as a row; a null value deletes the row. */
interface StateRow {
  readonly botId: string;
  readonly owner: string;
  readonly key: string;
  readonly value: string | null;
}

interface StateWrite {
  /** Runs first in the transaction; may throw to refuse the changes. */
  readonly check?: (tx: WriteTransaction) => Promise<void>;
  readonly onQueued?: () => void;
  readonly fence?: Fence | undefined;
}

/** The state and alarms of bots in the database (P-13.11, P-13.12). */
@Injectable()
export class BotStates {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly lease: Lease,
  ) {}

  /** Reads a value; undefined if there is none. */
  async read(botId: string, owner: StateOwner, key: string): Promise<unknown> {
    const entry = await this.reader.snapshot(({ sql }) => this.find(sql, botId, owner, key));
    return entry?.value;
  }

  /** Reads a value in a snapshot; null if there is none. */
  async find(sql: Sql, botId: string, owner: StateOwner, key: string): Promise<StateEntry | null> {
    const row = await sql.get<StateColumns>(
      'SELECT key, value FROM bot_state WHERE bot_id = $1 AND owner = $2 AND key = $3',
      ...[botId, ownerKey(owner), key],
    );
    return row === undefined ? null : toEntry(row);
  }

  /** Reads all values of an owner. */
  async list(botId: string, owner: StateOwner): Promise<StateEntry[]> {
    const where = { botId, owner: ownerKey(owner) };
    const rows = await this.reader.snapshot(({ manager }) => manager.findBy(BotStateEntity, where));
    return rows.map(toEntry);
  }

  /** Reads a page of values after a key in a snapshot, sorted by key. */
  async page(
    sql: Sql,
    botId: string,
    owner: StateOwner,
    after: string,
    limit: number,
  ): Promise<StateEntry[]> {
    const rows = await sql.all<StateColumns>(
      'SELECT key, value FROM bot_state WHERE bot_id = $1 AND owner = $2 AND key > $3 ORDER BY key LIMIT $4',
      ...[botId, ownerKey(owner), after, limit],
    );
    return rows.map(toEntry);
  }

  /** Reads the alarms of a bot, in all rooms or in one room. */
  async alarms(botId: string, room?: string): Promise<AlarmEvent[]> {
    const owner = room === undefined ? Like(`${ALARMS}%`) : ownerKey({ alarms: room });
    const rows = await this.reader.snapshot(({ manager }) =>
      manager.findBy(BotStateEntity, { botId, owner }),
    );
    return rows.map(({ owner, key, value }) => {
      const alarm = JSON.parse(value) as { at: number; value: unknown };
      return {
        event: 'alarm.due',
        data: { room: owner.slice(ALARMS.length), seq: 0, key, ...alarm },
      };
    });
  }

  /**
   * Writes changes in one transaction.
   *
   * @throws ProtocolError `invalid`, `limit_reached`
   */
  async write(
    botId: string,
    changes: readonly StateChange[],
    { check, onQueued, fence = this.lease.fence() }: StateWrite = {},
  ): Promise<void> {
    if (changes.length > MAX_STATE_CHANGES) {
      throw invalid(`At most ${String(MAX_STATE_CHANGES)} changes are allowed at once.`);
    }
    const rows = changes.map((change) => this.toRow(botId, change));
    // Its own log guards the number of keys of a bot, and each room its membership there.
    const rooms = check === undefined ? [] : changes.flatMap(({ owner }) => roomOf(owner));
    await this.writer.run(
      [ownLog(botId), ...rooms],
      async (tx) => {
        await fence?.(tx);
        await check?.(tx);
        for (const row of rows) await store(tx, row);
        const grown = rows.filter(({ value }) => value !== null).map(({ owner }) => owner);
        for (const owner of new Set(grown)) await this.requireKeyQuota(tx, botId, owner);
      },
      onQueued,
    );
  }

  private toRow(botId: string, { owner, key, value }: StateChange): StateRow {
    checkKey(key, 'alarms' in owner ? AlarmKey : StateKey);
    const row = { botId, owner: ownerKey(owner), key };
    if (value === undefined) return { ...row, value: null };
    return { ...row, value: this.toJson(key, 'alarms' in owner ? toAlarm(value) : value) };
  }

  private toJson(key: string, value: unknown): string {
    const json = JSON.stringify(value);
    const { botValueBytes } = this.config.limits;
    if (Buffer.byteLength(json) <= botValueBytes) return json;
    throw new ProtocolError('limit_reached', {
      message: `The value of ${key} is larger than ${String(botValueBytes)} bytes as JSON.`,
      details: { limit: 'botValueBytes', value: botValueBytes },
    });
  }

  private async requireKeyQuota(
    { sql }: WriteTransaction,
    botId: string,
    owner: string,
  ): Promise<void> {
    const { botKeys } = this.config.limits;
    const last = 'SELECT key FROM bot_state WHERE bot_id = $1 AND owner = $2 LIMIT 1 OFFSET $3';
    if ((await sql.get(last, botId, owner, botKeys)) === undefined) return;
    throw new ProtocolError('limit_reached', {
      message: `A bot can keep at most ${String(botKeys)} keys per room or user.`,
      details: { limit: 'botKeys', value: botKeys },
    });
  }
}

async function store({ manager }: WriteTransaction, { value, ...where }: StateRow): Promise<void> {
  if (value === null) await manager.delete(BotStateEntity, where);
  else await manager.upsert(BotStateEntity, { ...where, value }, ['botId', 'owner', 'key']);
}

function roomOf(owner: StateOwner): string[] {
  if ('user' in owner) return [];
  return ['room' in owner ? owner.room : owner.alarms];
}

function ownerKey(owner: StateOwner): string {
  if ('alarms' in owner) return `${ALARMS}${owner.alarms}`;
  return 'room' in owner ? `room:${owner.room}` : `user:${owner.user}`;
}

function checkKey(key: string, schema: typeof StateKey): void {
  const [issue] = schema.safeParse(key).error?.issues ?? [];
  if (issue !== undefined) throw invalid(`The key ${key.slice(0, 32)}: ${issue.message}`);
}

function toEntry({ key, value }: StateColumns): StateEntry {
  return { key, value: JSON.parse(value) as unknown };
}

function toAlarm(value: unknown): { at: number; value: unknown } {
  const { data } = Alarm.safeParse(value);
  if (data !== undefined) return { at: data.at, value: data.value };
  throw invalid('An alarm must be { at, value }, with `at` in milliseconds since 1970.');
}

function invalid(message: string): ProtocolError {
  return new ProtocolError('invalid', { message });
}
