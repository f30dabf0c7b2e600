import { Inject, Injectable } from '@nestjs/common';
import { Like } from 'typeorm';

import { Reader } from '../database/reader.js';
import { Writer } from '../database/writer.js';
import { BotStateEntity } from './bot-state.entity.js';
import type { AlarmEvent } from './runtime/bot-event.js';
import type { StateChange, StateEntry, StateOwner } from './runtime/bot-host.js';

const MAX_BYTES = 65_536;
const ALARMS = 'alarms:';

/** What bots keep for rooms and users, in the database. */
@Injectable()
export class BotStates {
  constructor(
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
  ) {}

  /** Reads a value; undefined if there is none. */
  async read(botId: string, owner: StateOwner, key: string): Promise<unknown> {
    const where = { botId, owner: ownerKey(owner), key };
    const row = await this.reader.snapshot(({ manager }) =>
      manager.findOneBy(BotStateEntity, where),
    );
    return row === null ? undefined : (JSON.parse(row.value) as unknown);
  }

  /** Reads all values of an owner. */
  async list(botId: string, owner: StateOwner): Promise<StateEntry[]> {
    const where = { botId, owner: ownerKey(owner) };
    const rows = await this.reader.snapshot(({ manager }) => manager.findBy(BotStateEntity, where));
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as unknown }));
  }

  /** Reads the alarms of a bot in all rooms. */
  async alarms(botId: string): Promise<AlarmEvent[]> {
    const rows = await this.reader.snapshot(({ manager }) =>
      manager.findBy(BotStateEntity, { botId, owner: Like(`${ALARMS}%`) }),
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
   * Writes changes, all or none.
   *
   * @throws RangeError for a value of more than 64 KiB of JSON
   */
  async write(botId: string, changes: readonly StateChange[]): Promise<void> {
    const rows = changes.map(({ owner, key, value }) => ({
      ...{ botId, owner: ownerKey(owner), key },
      value: value === undefined ? null : toJson(key, value),
    }));
    await this.writer.run(async ({ manager }) => {
      for (const { value, ...where } of rows) {
        if (value === null) await manager.delete(BotStateEntity, where);
        else await manager.upsert(BotStateEntity, { ...where, value }, ['botId', 'owner', 'key']);
      }
    });
  }
}

function ownerKey(owner: StateOwner): string {
  if ('alarms' in owner) return `${ALARMS}${owner.alarms}`;
  return 'room' in owner ? `room:${owner.room}` : `user:${owner.user}`;
}

function toJson(key: string, value: unknown): string {
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) <= MAX_BYTES) return json;
  throw new RangeError(`The state ${key} has more than ${String(MAX_BYTES)} bytes of JSON.`);
}
